using CaveComm.Sandbox.BtcPay;
using CaveComm.Sandbox.Mail;
using CaveComm.Sandbox.Storage;
using CaveComm.Sandbox.Stripe;
using Microsoft.AspNetCore.Builder;

namespace CaveComm.Sandbox;

/// <summary>The outside parties' look-alikes, run by this process on a data folder: Stripe, a BTCPay Server, a mail server with its mailbox.</summary>
/// <remarks>Their state is in a journal under the data folder, so the next start, also after a kill, goes on where they were.</remarks>
public sealed class SandboxHost : IAsyncDisposable
{
    private readonly SandboxSettings settings;
    private readonly string addressFile;
    private readonly Stack<Func<ValueTask>> endings = new();
    private WebApplication stripe = null!;
    private BtcPayServer btcPay = null!;
    private MailServer mail = null!;
    private bool ended;

    private SandboxHost(SandboxSettings settings, string addressFile)
    {
        this.settings = settings;
        this.addressFile = addressFile;
    }

    /// <summary>With a slash at the end, as all these addresses.</summary>
    public Uri StripeUrl => StripeServer.Address(stripe);

    public string StripeApiKey => settings.StripeApiKey;

    public string StripeWebhookSecret => settings.StripeWebhookSecret;

    public Uri BtcPayUrl => btcPay.Url;

    public string BtcPayApiKey => settings.BtcPayApiKey;

    public string BtcPayStoreId => settings.BtcPayStoreId;

    public string BtcPayWebhookSecret => settings.BtcPayWebhookSecret;

    /// <summary>The mailbox; its mails as JSON are at <c>messages</c> under it.</summary>
    public Uri MailUrl => mail.Url;

    public string SmtpHost { get; } = "127.0.0.1";

    public int SmtpPort => mail.SmtpPort;

    /// <summary>Opens the data folder, starts all of them, and writes where they are to <c>sandbox.json</c> in the data folder.</summary>
    /// <exception cref="SandboxInUseException">Another sandbox runs on the same data.</exception>
    public static async Task<SandboxHost> Start(SandboxOptions options, CancellationToken cancel)
    {
        var folder = Path.Combine(Path.GetFullPath(options.DataFolder), "sandbox");
        MakePrivate(folder);
        var owner = FileLock.TryTake(Path.Combine(folder, "owner.lock"))
            ?? throw new SandboxInUseException($"A sandbox already runs on {options.DataFolder}. Stop it first, or choose another data folder.");
        SandboxHost? host = null;
        try
        {
            host = new SandboxHost(
                SandboxSettings.Load(Path.Combine(folder, "settings.json"), options),
                Path.Combine(Path.GetFullPath(options.DataFolder), "sandbox.json"));
            host.endings.Push(() =>
            {
                owner.Dispose();
                return ValueTask.CompletedTask;
            });
            await host.Open(Path.Combine(folder, "journal.jsonl"), options.Time, cancel);
            return host;
        }
        catch
        {
            if (host is not null)
            {
                await host.DisposeAsync();
            }

            owner.Dispose();
            throw;
        }
    }

    /// <summary>Points the webhooks at a product; those that wait are sent there.</summary>
    public Task SetProductUrl(Uri url)
    {
        var root = new Uri(url.AbsoluteUri.TrimEnd('/') + "/");
        StripeServer.SetWebhookUrl(stripe, new Uri(root, "webhooks/stripe"));
        btcPay.SetWebhookUrl(new Uri(root, "webhooks/btcpay"));
        return Task.CompletedTask;
    }

    /// <summary>Makes a connected Stripe account that can be paid out to, unless it is there.</summary>
    public void SeedConnectedAccount(string id, string email) => StripeServer.SeedAccount(stripe, id, email);

    /// <summary>Stops all within two seconds; what waits to be sent is sent by the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        if (ended)
        {
            return;
        }

        ended = true;
        while (endings.TryPop(out var end))
        {
            await end();
        }
    }

    private async Task Open(string journal, TimeProvider time, CancellationToken cancel)
    {
        var store = new SandboxStore(journal);
        endings.Push(() =>
        {
            store.Dispose();
            return ValueTask.CompletedTask;
        });
        mail = await MailServer.Start(store, settings.SmtpPort, settings.MailPort, time, cancel);
        var servers = new List<Func<ValueTask>> { mail.DisposeAsync };
        endings.Push(() => Together(servers));
        btcPay = await BtcPayServer.Start(
            store,
            new BtcPayOptions
            {
                Port = settings.BtcPayPort,
                ApiKey = settings.BtcPayApiKey,
                StoreId = settings.BtcPayStoreId,
                WebhookSecret = settings.BtcPayWebhookSecret,
            },
            time,
            cancel);
        servers.Add(btcPay.DisposeAsync);
        stripe = StripeServer.Build(
            store,
            new StripeServerOptions(settings.StripeApiKey, settings.StripeWebhookSecret, settings.StripePort)
            {
                MailSink = new MailSender(SmtpHost, mail.SmtpPort).Send,
            },
            time);
        servers.Add(stripe.DisposeAsync);
        await stripe.StartAsync(cancel);
        servers[^1] = StopStripe;
        SandboxSettings.WritePrivately(addressFile, new
        {
            StripeUrl = Plain(StripeUrl),
            StripeApiKey,
            StripeWebhookSecret,
            BtcPayUrl = Plain(BtcPayUrl),
            BtcPayApiKey,
            BtcPayStoreId,
            BtcPayWebhookSecret,
            MailUrl = Plain(MailUrl),
            SmtpHost,
            SmtpPort,
        });
        endings.Push(() =>
        {
            File.Delete(addressFile);
            return ValueTask.CompletedTask;
        });
    }

    private async ValueTask StopStripe()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await stripe.StopAsync(patience.Token);
        await stripe.DisposeAsync();
    }

    private static async ValueTask Together(IEnumerable<Func<ValueTask>> ends) => await Task.WhenAll(ends.Select(end => end().AsTask()));

    private static string Plain(Uri url) => url.AbsoluteUri.TrimEnd('/');

    private static void MakePrivate(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

}
