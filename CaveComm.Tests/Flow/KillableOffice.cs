using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using CaveComm.Api.CommandLine.Lookalikes;
using CaveComm.Sandbox.PostgreSql;
using CaveComm.Tests.CommandLine;
using CaveComm.Tests.Support;
using Npgsql;

namespace CaveComm.Tests.Flow;

/// <summary>The product as a process that can be killed and started again on the same data, with the look-alikes inside it or beside it.</summary>
internal sealed class KillableOffice : IAsyncDisposable
{
    private readonly TestFolder folder = new();
    private readonly int port = FreePort();
    private readonly CaveCommProcess? sandbox;
    private CaveCommProcess product;

    private KillableOffice(bool inOne)
    {
        sandbox = inOne ? null : CaveCommProcess.Start("sandbox", "--data", folder.Path);
        Url = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
        product = null!;
    }

    public Uri Url { get; }

    /// <summary>What up.json said when the product was ready first.</summary>
    public JsonNode Facts { get; private set; } = null!;

    public SandboxAddresses Sandbox { get; private set; } = null!;

    public NpgsqlDataSource Database { get; private set; } = null!;

    public int ProcessId => product.Id;

    public string Folder => folder.Path;

    public string Errors => product.Errors;

    /// <param name="inOne">Look-alikes and product are one process, as a plain <c>up</c> is; otherwise a kill hits the product alone.</param>
    public static async Task<KillableOffice> Start(bool inOne)
    {
        var office = new KillableOffice(inOne);
        try
        {
            if (office.sandbox is { } beside)
            {
                await beside.Shown("The sandbox is ready");
            }

            office.product = office.Launch();
            await office.product.Ready();
            office.Facts = JsonNode.Parse(await File.ReadAllTextAsync(office.folder["up.json"], TestContext.Current.CancellationToken))!;
            office.Sandbox = JsonSerializer.Deserialize<SandboxAddresses>(
                await File.ReadAllTextAsync(office.folder["sandbox.json"], TestContext.Current.CancellationToken), JsonSerializerOptions.Web)!;
            office.Database = NpgsqlDataSource.Create((string)office.Facts["database"]!);
            return office;
        }
        catch
        {
            await office.DisposeAsync();
            throw;
        }
    }

    public Task Kill() => product.Kill();

    /// <summary>Starts it again on the same data and address.</summary>
    public void Restart() => product = Launch();

    public Task Ready() => product.Ready();

    public async Task<T> Scalar<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    public async Task<IReadOnlyList<string>> Texts(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await using var rows = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var texts = new List<string>();
        while (await rows.ReadAsync(TestContext.Current.CancellationToken))
        {
            texts.Add(rows.GetString(0));
        }

        return texts;
    }

    public async ValueTask DisposeAsync()
    {
        if (Database is not null)
        {
            await Database.DisposeAsync();
        }

        if (product is not null)
        {
            await product.DisposeAsync();
        }

        if (sandbox is not null)
        {
            await sandbox.DisposeAsync();
        }
        else if (Directory.Exists(folder["postgres"]))
        {
            // A kill that no start followed leaves PostgreSQL running: adopt it, to end it.
            await (await PrivatePostgres.Start(folder.Path, CancellationToken.None)).DisposeAsync();
        }

        folder.Dispose();
    }

    private CaveCommProcess Launch()
    {
        var number = port.ToString(CultureInfo.InvariantCulture);
        return sandbox is null
            ? CaveCommProcess.Start("up", "--port", number, "--data", folder.Path)
            : CaveCommProcess.Start("up", "--no-sandbox", "--port", number, "--data", folder.Path);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
