namespace CaveComm.Api.CommandLine.Doctor;

/// <summary>Settings that are easily forgotten or contradict each other.</summary>
internal static class SettingChecks
{
    public static async Task<IReadOnlyList<Finding>> Run(OperatorConfiguration configuration, CancellationToken cancel)
    {
        var findings = new List<Finding> { PublicUrl(configuration["CaveComm:PublicUrl"]) };
        if (configuration["CaveComm:PlatformFeeBasisPoints"] is { } fee && (!int.TryParse(fee, out var points) || points is < 0 or > 10_000))
        {
            findings.Add(Finding.Wrong("Fee", $"'{fee}' is no fee", "Set CaveComm__PlatformFeeBasisPoints to a whole number from 0 to 10000 (250 is 2.5 %)."));
        }

        if (configuration["Storage:Path"] is { } path)
        {
            findings.Add(Storage(path));
        }

        if (configuration["Oidc:Authority"] is { } authority)
        {
            findings.Add(await Issuer(authority, cancel));
        }

        return findings;
    }

    private static Finding PublicUrl(string? given)
    {
        const string subject = "Public address";
        if (given is null)
        {
            return OperatorConfiguration.IsProduction
                ? Finding.Wrong(subject, "not set: links in mails would lead to this machine's loopback", "Set CaveComm__PublicUrl to https://your.domain.")
                : Finding.Good(subject, "this machine's loopback");
        }

        if (!Uri.TryCreate(given, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            return Finding.Wrong(subject, $"'{given}' is no web address", "Set CaveComm__PublicUrl to something like https://your.domain.");
        }

        return url.Scheme == "http" && !url.IsLoopback
            ? Finding.Wrong(subject, $"{given} is not encrypted", "Put a proxy with a certificate before it and set CaveComm__PublicUrl to its https address.")
            : Finding.Good(subject, given);
    }

    private static Finding Storage(string path)
    {
        var probe = Path.Combine(path, $".cavecomm-probe-{Guid.NewGuid():N}");
        try
        {
            File.WriteAllText(probe, "");
            File.Delete(probe);
            return Finding.Good("Storage", path);
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or IOException)
        {
            return Finding.Wrong("Storage", $"{path} cannot be written: {refused.Message}", $"mkdir -p {path} && chown {Environment.UserName} {path}");
        }
    }

    private static async Task<Finding> Issuer(string authority, CancellationToken cancel)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        try
        {
            using var answer = await client.GetAsync(new Uri($"{authority.TrimEnd('/')}/.well-known/openid-configuration"), cancel);
            return answer.IsSuccessStatusCode
                ? Finding.Good("Sign-in", authority)
                : Finding.Wrong("Sign-in", $"{authority} answers {(int)answer.StatusCode}", "Set Oidc__Authority to the issuer's address, without the .well-known part.");
        }
        catch (Exception refused) when (refused is HttpRequestException or UriFormatException
            || (refused is TaskCanceledException && !cancel.IsCancellationRequested))
        {
            return Finding.Wrong("Sign-in", $"{authority} cannot be reached: {refused.Message}", "Check Oidc__Authority, the name service and the firewall.");
        }
    }
}
