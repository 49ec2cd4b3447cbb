namespace CaveComm.Api.Payments;

/// <summary>Something about money does not fit, and a person has to look. What was right of it went on.</summary>
/// <remarks>Its handler gives it up at once: as a dead letter it is stored with its reason, counted, and shown on the health page until somebody deals with it.</remarks>
/// <param name="Commission">Null where it is not known which it is about.</param>
public sealed record Alarm(Guid? Commission, string Reason);

public static class AlarmHandler
{
    public static void Handle(Alarm raised) => throw new AlarmException(raised.Commission is { } id ? $"Commission {id}: {raised.Reason}" : raised.Reason);
}

/// <summary>A person has to look.</summary>
public sealed class AlarmException(string message) : Exception(message);
