using CaveComm.Api.CommandLine.Up;
using CaveComm.Api.Freelancers;
using CaveComm.Sandbox;
using CaveComm.Sandbox.Storage;

namespace CaveComm.Api.CommandLine.Lookalikes;

/// <summary>The look-alikes, run by this process on a data folder that no other process runs them on.</summary>
internal sealed class RunningSandbox : IAsyncDisposable
{
    private readonly SandboxHost host;
    private readonly FileLock owner;

    private RunningSandbox(SandboxHost host, FileLock owner)
    {
        this.host = host;
        this.owner = owner;
        Addresses = new SandboxAddresses(
            host.StripeUrl.ToString().TrimEnd('/'),
            host.StripeApiKey,
            host.StripeWebhookSecret,
            host.BtcPayUrl.ToString().TrimEnd('/'),
            host.BtcPayApiKey,
            host.BtcPayStoreId,
            host.BtcPayWebhookSecret,
            host.MailUrl.ToString().TrimEnd('/'),
            host.SmtpHost,
            host.SmtpPort);
    }

    public SandboxAddresses Addresses { get; }

    /// <summary>Takes the lock first: two writers would tear the look-alikes' state apart.</summary>
    public static async Task<FileLock> Own(DataFolder data, CancellationToken cancel)
    {
        if (FileLock.TryTake(data.SandboxLock) is { } taken)
        {
            return taken;
        }

        var url = (await DataFolder.Read<UpFile>(data.UpFile, cancel))?.Url;
        throw new CommandFailure(
            $"CaveComm already runs on {data.Path}{(url is null ? "" : $" ({url})")}. Stop it first, choose another folder with --data, "
            + "or add --no-sandbox to run another node beside it.",
            ExitCode.InUse);
    }

    public static async Task<RunningSandbox> Start(DataFolder data, FileLock owner, CancellationToken cancel)
    {
        var accounts = await DemoAccounts.Of(data, cancel);
        var host = await SandboxHost.Start(new SandboxOptions { DataFolder = data.Path }, cancel);
        foreach (var freelancer in new[] { accounts.Freelancer, accounts.Second })
        {
            host.SeedConnectedAccount(DemoShop.StripeAccount(freelancer.Handle), $"{freelancer.Handle}@cavecomm.example");
        }

        return new RunningSandbox(host, owner);
    }

    public Task SetProductUrl(Uri url) => host.SetProductUrl(url);

    public async ValueTask DisposeAsync()
    {
        try
        {
            await host.DisposeAsync();
        }
        finally
        {
            owner.Dispose();
        }
    }
}
