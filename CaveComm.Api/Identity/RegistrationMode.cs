namespace CaveComm.Api.Identity;

/// <summary>Who may register: <c>CaveComm:Registration</c>.</summary>
internal enum RegistrationMode
{
    /// <summary>Everybody.</summary>
    Open,

    /// <summary>Whoever an administrator has invited.</summary>
    Invitation,

    /// <summary>Nobody.</summary>
    Closed,
}

internal static class RegistrationModes
{
    /// <summary>A word that is none of the three shuts the door: a slip must not open it.</summary>
    public static RegistrationMode Of(IConfiguration configuration) =>
        configuration["CaveComm:Registration"] is not { Length: > 0 } word ? RegistrationMode.Open
        : Enum.TryParse<RegistrationMode>(word, ignoreCase: true, out var mode) && Enum.IsDefined(mode) ? mode
        : RegistrationMode.Closed;
}
