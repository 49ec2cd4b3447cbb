using System.CommandLine;

namespace CaveComm.Api.CommandLine;

/// <summary>Options that several commands share.</summary>
internal static class CommonOptions
{
    public static Option<string> Data() => new("--data")
    {
        Description = "The folder that holds the private database, keys, files and the sandbox's state.",
        DefaultValueFactory = _ => "./.cavecomm",
        HelpName = "folder",
    };

    public static Option<int> Port()
    {
        var port = new Option<int>("--port")
        {
            Description = "The port on 127.0.0.1 to listen on; 0 takes a free one.",
            DefaultValueFactory = _ => 8080,
            HelpName = "port",
        };
        port.Validators.Add(given =>
        {
            if (given.Tokens.Count == 1 && int.TryParse(given.Tokens[0].Value, out var number) && number is < 0 or > 65535)
            {
                given.AddError($"There is no port {number}: ports go from 1 to 65535, and 0 takes a free one.");
            }
        });
        return port;
    }
}
