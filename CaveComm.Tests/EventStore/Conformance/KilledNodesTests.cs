using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using CaveComm.Api;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.EventStore;
using CaveComm.Tests.CommandLine;
using CaveComm.Tests.Support;
using Npgsql;
using Shouldly;

namespace CaveComm.Tests.EventStore.Conformance;

/// <summary>E9: three nodes of the product itself; the one that feeds the inbox is killed with SIGKILL again and again.</summary>
public sealed class KilledNodesTests : IAsyncLifetime
{
    private readonly TestFolder folder = new();
    private readonly Dictionary<int, CaveCommProcess> nodes = [];
    private CaveCommProcess sandbox = null!;

    public async ValueTask InitializeAsync()
    {
        sandbox = CaveCommProcess.Start("sandbox", "--data", folder.Path);
        await sandbox.Shown("The sandbox is ready");
        for (var i = 0; i < 3; i++)
        {
            var port = FreePort();
            nodes[port] = Launch(port);
            await nodes[port].Ready();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes.Values)
        {
            await node.DisposeAsync();
        }

        await sandbox.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task What_a_killed_node_fed_is_fed_elsewhere_within_five_seconds_and_nothing_twice()
    {
        var facts = JsonNode.Parse(await File.ReadAllTextAsync(folder["up.json"], TestContext.Current.CancellationToken))!;
        await using var store = DocumentStore.For(options =>
        {
            options.Connection((string)facts["database"]!);
            foreach (var (type, alias) in EventAliases.All)
            {
                options.Events.MapEventType(type, alias);
            }
        });
        var asked = new List<string> { await Ask(store) };
        for (var kill = 0; kill < Soak.Size(3, 20); kill++)
        {
            var port = await WhoFeedsTheInbox();
            await nodes[port].Kill();
            var watch = Stopwatch.StartNew();
            asked.Add(await Ask(store));
            await Eventually.Holds("the inbox shows the newest request", () => IsShown(store, asked[^1]), TimeSpan.FromSeconds(20));
            watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));

            await nodes[port].DisposeAsync();
            nodes[port] = Launch(port);
            await nodes[port].Ready();
        }

        foreach (var key in asked)
        {
            (await IsShown(store, key)).ShouldBeTrue();
        }

        (await Scalar(store, "select count(*) from cavecomm_parked_event")).ShouldBe(0);
    }

    private async Task<int> WhoFeedsTheInbox()
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(60) };
        var found = 0;
        await Eventually.Holds("some node feeds the inbox", async () =>
        {
            foreach (var port in nodes.Keys)
            {
                using var answer = await http.GetAsync(new Uri($"http://127.0.0.1:{port}/health/ready"));
                var projections = (await answer.Content.ReadFromJsonAsync<JsonObject>())!["checks"]!["projections"]!["data"]!.AsObject();
                if (projections.Any(it => it.Key.StartsWith("InboxProjection", StringComparison.Ordinal) && (string)it.Value!["state"]! == "running"))
                {
                    found = port;
                    return true;
                }
            }

            return false;
        });
        return found;
    }

    private static async Task<string> Ask(DocumentStore store)
    {
        var key = StreamKey.Commission(Guid.CreateVersion7());
        await using var session = store.LightweightSession();
        session.Events.StartStream<Commission>(key, Some.Requested, Some.Declined);
        await session.SaveChangesAsync();
        return key;
    }

    private static async Task<bool> IsShown(DocumentStore store, string key)
    {
        await using var command = store.DataSource.CreateCommand("select to_regclass('mt_doc_inboxitem_3') is null");
        var table = (bool)(await command.ExecuteScalarAsync())! ? "mt_doc_inboxitem" : "mt_doc_inboxitem_3";
        return await Scalar(store, $"select count(*) from {table} where id = $1 and mt_version = 2 and status = 'declined'", key) == 1;
    }

    private static async Task<long> Scalar(DocumentStore store, string sql, params string[] parameters)
    {
        await using var command = store.DataSource.CreateCommand(sql);
        command.Parameters.AddRange(parameters.Select(it => new NpgsqlParameter { Value = it }).ToArray());
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private CaveCommProcess Launch(int port) =>
        CaveCommProcess.Start("up", "--no-sandbox", "--port", port.ToString(CultureInfo.InvariantCulture), "--data", folder.Path);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
