using CaveComm.Sandbox.PostgreSql;
using CaveComm.Sandbox.Storage;
using CaveComm.Tests.Support;

[assembly: AssemblyFixture(typeof(TestServer.Lifetime))]

namespace CaveComm.Tests.Support;

/// <summary>The PostgreSQL server that tests make their own databases in.</summary>
public static class TestServer
{
    private const string FolderPrefix = "cavecomm-tests-";

    private static readonly Lazy<Private> Own = new(() => Task.Run(Private.Start).GetAwaiter().GetResult());

    /// <summary>
    /// Leads to the maintenance database, as a user who may do everything: the server that <c>CAVECOMM_TEST_DATABASE</c> names, or else a
    /// private one, started when the first test asks and removed after the last.
    /// </summary>
    public static string ConnectionString() =>
        Environment.GetEnvironmentVariable("CAVECOMM_TEST_DATABASE") is { Length: > 0 } given ? given : Own.Value.Server.ConnectionString;

    /// <summary>Lives as long as the test run, and clears up after it.</summary>
    public sealed class Lifetime : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            if (Own.IsValueCreated)
            {
                await Own.Value.Remove();
            }
        }
    }

    private sealed record Private(string Folder, FileLock Owner, PrivatePostgres Server)
    {
        private static readonly PrivatePostgresOptions Options = new() { Durable = false, Database = "postgres" };

        public static async Task<Private> Start()
        {
            await ClearUpAfterTheKilled();
            var folder = Directory.CreateTempSubdirectory(FolderPrefix).FullName;
            var owner = FileLock.TryTake(OwnerLock(folder))!;
            return new Private(folder, owner, await PrivatePostgres.Start(folder, Options, CancellationToken.None));
        }

        public async Task Remove()
        {
            await Server.DisposeAsync();
            Owner.Dispose();
            Directory.Delete(Folder, recursive: true);
        }

        // A test run that was killed leaves its server running; the next one ends it.
        private static async Task ClearUpAfterTheKilled()
        {
            foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), FolderPrefix + "*"))
            {
                try
                {
                    using var owner = File.Exists(OwnerLock(folder)) ? FileLock.TryTake(OwnerLock(folder)) : null;
                    if (owner is not null)
                    {
                        await (await PrivatePostgres.Start(folder, Options, CancellationToken.None)).DisposeAsync();
                        Directory.Delete(folder, recursive: true);
                    }
                }
                catch (Exception notOurs) when (notOurs is UnauthorizedAccessException or IOException or PrivatePostgresException)
                {
                    // Another user's run, or one that is clearing up itself.
                }
            }
        }

        private static string OwnerLock(string folder) => Path.Combine(folder, "owner.lock");
    }
}
