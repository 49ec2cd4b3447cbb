using CaveComm.Api.CommandLine.Lookalikes;
using CaveComm.Sandbox.PostgreSql;
using CaveComm.Sandbox.Storage;
using Microsoft.AspNetCore.Connections;

namespace CaveComm.Api.CommandLine.Up;

/// <summary>The product with all that it needs on this machine, started in the order of need and stopped the other way round.</summary>
internal sealed class RunningProduct : IAsyncDisposable
{
    private readonly Shutdown shutdown;

    private RunningProduct(Shutdown shutdown, WebApplication product, UpFile facts, Announcement announcement)
    {
        this.shutdown = shutdown;
        Facts = facts;
        Announcement = announcement;
        Ended = product.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
    }

    public UpFile Facts { get; }

    /// <summary>Writes up.json when this node is the data folder's first, or becomes it.</summary>
    public Announcement Announcement { get; }

    /// <summary>Cancelled when the product gives up by itself.</summary>
    public CancellationToken Ended { get; }

    public static async Task<RunningProduct> Start(UpRequest request, CancellationToken cancel)
    {
        var configuration = OperatorConfiguration.Load();
        var data = DataFolder.Open(request.Data);
        var url = configuration.AddressOf(Ports.Claim(request.Port, configuration.Listen));

        // The framework takes an unset environment for Production; here an unset one is somebody's own machine.
        Environment.SetEnvironmentVariable("ASPNETCORE_ENVIRONMENT", OperatorConfiguration.EnvironmentName);
        var shutdown = new Shutdown();
        try
        {
            var ownSandbox = request.WithSandbox && !OperatorConfiguration.IsProduction;
            FileLock? owner = ownSandbox ? await RunningSandbox.Own(data, cancel) : null;
            if (owner is not null)
            {
                shutdown.Add(owner);
            }

            string? database = null;
            if (!configuration.Has("ConnectionStrings:CaveComm"))
            {
                var postgres = await PrivatePostgres.Start(data.Path, cancel);
                shutdown.Add("PostgreSQL", TimeSpan.FromSeconds(4.5), async () => await postgres.DisposeAsync());
                database = postgres.ConnectionString;
            }

            SandboxAddresses? addresses;
            Func<CancellationToken, Task> askForWebhooks = _ => Task.CompletedTask;
            if (owner is not null)
            {
                var sandbox = await RunningSandbox.Start(data, owner, cancel);
                shutdown.Add("the sandbox", TimeSpan.FromSeconds(1), async () => await sandbox.DisposeAsync());
                addresses = sandbox.Addresses;
                askForWebhooks = _ => sandbox.SetProductUrl(url);
            }
            else
            {
                addresses = OperatorConfiguration.IsProduction ? null : await Beside(data, cancel);
                if (addresses?.Control is { } control)
                {
                    askForWebhooks = stop => SandboxControl.SetProductUrl(control, url, stop);
                }
            }

            var accounts = addresses is null ? null : await DemoAccounts.Of(data, cancel);
            var settings = ProductSettings.Compose(configuration, data, url, database, addresses, accounts);
            foreach (var (key, value) in request.Defaults.Where(it => !configuration.Has(it.Key)))
            {
                settings.TryAdd(key, value);
            }

            var product = await StartProduct(settings, url, shutdown, cancel);
            var facts = new UpFile(
                url.GetLeftPart(UriPartial.Authority),
                addresses?.StripeUrl,
                addresses?.BtcPayUrl,
                addresses?.MailUrl,
                database ?? configuration.Value("ConnectionStrings:CaveComm")!,
                addresses is null ? null : new UpWebhookSecrets(addresses.StripeWebhookSecret, addresses.BtcPayWebhookSecret),
                accounts);
            var announcement = await Announcement.Make(data, facts, askForWebhooks, cancel);
            shutdown.Add("up.json", TimeSpan.FromSeconds(0.5), async () => await announcement.DisposeAsync());
            await Readiness.Wait(url, product.Lifetime.ApplicationStopping, cancel);
            return new RunningProduct(shutdown, product, facts, announcement);
        }
        catch
        {
            await shutdown.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => shutdown.DisposeAsync();

    private static async Task<WebApplication> StartProduct(
        Dictionary<string, string?> settings, Uri url, Shutdown shutdown, CancellationToken cancel)
    {
        var product = ProductHost.Build(settings);
        shutdown.Add("the product", TimeSpan.FromSeconds(2.5), async () =>
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await product.StopAsync(patience.Token);
            await product.DisposeAsync();
        });
        try
        {
            await product.StartAsync(cancel);
        }
        catch (IOException refused) when (refused.InnerException is AddressInUseException)
        {
            throw new CommandFailure($"Port {url.Port} on 127.0.0.1 was taken by another program meanwhile.", ExitCode.InUse);
        }

        return product;
    }

    // A sandbox.json whose writer was killed describes nothing; the lock tells.
    private static async Task<SandboxAddresses?> Beside(DataFolder data, CancellationToken cancel)
    {
        using var free = FileLock.TryTake(data.SandboxLock);
        return free is null ? await DataFolder.Read<SandboxAddresses>(data.SandboxFile, cancel) : null;
    }
}
