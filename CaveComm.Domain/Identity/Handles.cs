using System.Text.RegularExpressions;

namespace CaveComm.Domain.Identity;

/// <summary>What a freelancer can be called in addresses.</summary>
public static partial class Handles
{
    /// <summary>Words that are, or may become, part of an address or of a pretence.</summary>
    private static readonly HashSet<string> Reserved = new(StringComparer.Ordinal)
    {
        "about", "account", "accounts", "admin", "administrator", "api", "assets", "audit", "auditor", "billing", "cavecomm", "commission", "commissions",
        "contact", "customer", "customers", "download", "downloads", "favicon", "freelancer", "freelancers", "health", "help", "inbox", "info", "invitations",
        "legal", "login", "logout", "mail", "null", "oauth2", "office", "openapi", "password-reset", "plans", "postmaster", "privacy", "problems", "register",
        "relays", "root", "security", "settings", "signin", "signout", "signup", "static", "status", "support", "system", "template", "templates", "terms",
        "undefined", "webhook", "webhooks", "webmaster", "well-known", "www",
    };

    public static void Check(string handle, Faults faults)
    {
        if (!Shape().IsMatch(handle))
        {
            faults.Add("handle", "3 to 32 small letters, digits and hyphens.");
        }
        else if (Reserved.Contains(handle))
        {
            faults.Add("handle", "This word is reserved; choose another.");
        }
    }

    [GeneratedRegex(@"\A[a-z0-9-]{3,32}\z")]
    private static partial Regex Shape();
}
