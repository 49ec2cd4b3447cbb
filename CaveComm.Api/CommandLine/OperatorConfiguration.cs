using System.Net;

namespace CaveComm.Api.CommandLine;

/// <summary>What the operator has set in environment variables and appsettings; the local defaults step back where this speaks.</summary>
internal sealed class OperatorConfiguration
{
    private readonly IConfiguration configuration;
    private readonly IConfiguration files;

    private OperatorConfiguration(IConfiguration configuration, IConfiguration files)
    {
        this.configuration = configuration;
        this.files = files;
    }

    public static string EnvironmentName => Variable("ASPNETCORE_ENVIRONMENT") ?? Variable("DOTNET_ENVIRONMENT") ?? "Local";

    /// <summary>What stands in appsettings files of the folder where the command runs, unless a variable says otherwise.</summary>
    /// <remarks>The product itself looks beside its program, which lies in a build folder where nobody would put settings.</remarks>
    public IEnumerable<KeyValuePair<string, string?>> FromFiles =>
        files.AsEnumerable().Where(setting => setting.Value is not null).Select(setting => new KeyValuePair<string, string?>(setting.Key, configuration[setting.Key]));

    /// <summary>Only when said so: on a newcomer's machine nothing is set, and the look-alikes should run.</summary>
    public static bool IsProduction => string.Equals(EnvironmentName, "Production", StringComparison.OrdinalIgnoreCase);

    /// <summary>The address to listen on. Only this machine, unless a proxy or a container's network must reach the product.</summary>
    public IPAddress Listen => this["CaveComm:Listen"] is not { } given ? IPAddress.Loopback
        : IPAddress.TryParse(given, out var address) ? address
        : throw new CommandFailure($"CaveComm__Listen is '{given}', which is no IP address. 127.0.0.1 is this machine only, 0.0.0.0 all its networks.");

    /// <summary>How this machine reaches the product on that port.</summary>
    public Uri AddressOf(int port)
    {
        var listen = Listen;
        var reached = listen.Equals(IPAddress.Any) || listen.Equals(IPAddress.IPv6Any) ? IPAddress.Loopback : listen;
        return new Uri($"http://{new IPEndPoint(reached, port)}");
    }

    public string? this[string key] => configuration[key] is { Length: > 0 } value ? value : null;

    public static OperatorConfiguration Load()
    {
        var files = new ConfigurationBuilder()
            .SetBasePath(Directory.GetCurrentDirectory())
            .AddJsonFile("appsettings.json", optional: true)
            .AddJsonFile($"appsettings.{EnvironmentName}.json", optional: true)
            .Build();
        return new OperatorConfiguration(new ConfigurationBuilder().AddConfiguration(files).AddEnvironmentVariables().Build(), files);
    }

    /// <summary>The key itself, or the same with <c>_FILE</c> behind it, which names a file that holds the value.</summary>
    public bool Has(string key) => this[key] is not null || this[key + "_FILE"] is not null || configuration.GetSection(key).GetChildren().Any();

    /// <summary>The value, from the key itself or from the file that <c>key_FILE</c> names.</summary>
    public string? Value(string key) => this[key] ?? (this[key + "_FILE"] is { } file && File.Exists(file) ? File.ReadAllText(file).Trim() : null);

    // An empty variable (usual in compose files) counts as none.
    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
