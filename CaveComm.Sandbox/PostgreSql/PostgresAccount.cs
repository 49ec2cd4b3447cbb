using System.Globalization;

namespace CaveComm.Sandbox.PostgreSql;

/// <summary>The unprivileged account that the server runs as when CaveComm was started by root: PostgreSQL refuses root, rightly.</summary>
internal sealed record PostgresAccount(string Name, int User, int Group)
{
    private const string OwnName = "cavecomm-postgres";

    /// <summary>Null when this process is not root: then the server runs as whoever started it.</summary>
    /// <param name="cluster">An existing cluster keeps its owner, whoever that is, so that an ordinary user's data stays theirs.</param>
    public static async Task<PostgresAccount?> Choose(string cluster, CancellationToken cancel)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return null;
        }

        if (Directory.Exists(cluster) && await Owner(cluster, cancel) is { User: not 0 } owner)
        {
            return owner;
        }

        return await Find("postgres", cancel) ?? await Find(OwnName, cancel) ?? await Make(cancel) ?? await Find("nobody", cancel)
            ?? throw new PrivatePostgresException(
                "PostgreSQL does not run as root, and this machine has no account that it could run as. Make one "
                + $"(useradd --system {OwnName}), or start CaveComm as an ordinary user.");
    }

    /// <summary>Gives the folder, with all that is in it, to this account. A copy that root made belongs to root.</summary>
    public async Task Own(string folder, CancellationToken cancel)
    {
        if (await Shell.Run("chown", ["-R", "-h", $"{User}:{Group}", folder], environment: null, cancel) is not { Succeeded: true })
        {
            throw new PrivatePostgresException($"The folder {folder} cannot be given to the account '{Name}' that PostgreSQL runs as.");
        }
    }

    /// <summary>The command line that runs another as this account.</summary>
    public IEnumerable<string> Wrap(IEnumerable<string> command)
    {
        if (Shell.Find("setpriv") is { } setpriv)
        {
            return [setpriv, $"--reuid={User}", $"--regid={Group}", "--clear-groups", "--", .. command];
        }

        return Shell.Find("runuser") is { } runuser
            ? [runuser, "-u", Name, "--", .. command]
            : throw new PrivatePostgresException(
                "PostgreSQL does not run as root, and neither setpriv nor runuser is here to start it as another account. "
                + "Install util-linux, or start CaveComm as an ordinary user.");
    }

    private static async Task<PostgresAccount?> Make(CancellationToken cancel)
    {
        await Shell.Run(
            "useradd", ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", OwnName], environment: null, cancel);
        return await Find(OwnName, cancel);
    }

    // An owner without a name (a folder that came from another machine) counts as none: the server must be able to look itself up.
    private static async Task<PostgresAccount?> Owner(string folder, CancellationToken cancel)
    {
        var listed = await Shell.Run("ls", ["-nd", folder], environment: null, cancel);
        var columns = listed?.Output.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return columns is { Length: > 3 } ? await Find(columns[2], cancel) : null;
    }

    private static async Task<PostgresAccount?> Find(string nameOrNumber, CancellationToken cancel)
    {
        return await Ask("-un") is { } name && await Ask("-u") is { } user && await Ask("-g") is { } group
            ? new PostgresAccount(name, int.Parse(user, CultureInfo.InvariantCulture), int.Parse(group, CultureInfo.InvariantCulture))
            : null;

        async Task<string?> Ask(string what) =>
            await Shell.Run("id", [what, "--", nameOrNumber], environment: null, cancel) is { Succeeded: true } said ? said.Output : null;
    }
}
