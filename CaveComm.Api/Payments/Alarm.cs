namespace CaveComm.Api.Payments;

/// <summary>Something about money does not fit, and a person has to look. What was right of it went on.</summary>
/// <remarks>Its handler gives it up at once: as a dead letter it is stored with its reason, counted, and shown on the health page until somebody deals with it.</remarks>
public sealed record Alarm(Guid Commission, string Reason);

public static class AlarmHandler
{
    public static void Handle(Alarm raised) => throw new AlarmException($"Commission {raised.Commission}: {raised.Reason}");
}

/// <summary>A person has to look.</summary>
public sealed class AlarmException(string message) : Exception(message);
