using System.Text;

namespace CaveComm.EventStore;

/// <summary>What an event's hash covers.</summary>
/// <remarks>
/// SHA-256 over these fields with a line feed between each two, in UTF-8: the hash of the event before in its stream (empty for the
/// first, and where another program wrote that one without a hash), the time in microseconds since 1970, the actor, the stream's key, the
/// event's id, its version, its alias, and PostgreSQL's own text of its data. Texts that anybody may choose carry their length in
/// bytes and a colon before them, and an actor that is missing is a dash, so that no two events have the same fields in other bounds. The hash stands in
/// the event's headers in lower-case hexadecimal digits.
/// </remarks>
internal static class HashChain
{
    public const string Header = "hash";
    public const string ActorHeader = "actor";

    /// <summary>The function that runs the chain through the events of one append.</summary>
    /// <remarks>A loop of simple expressions: a recursive query or an aggregate takes half as long again.</remarks>
    public static string Function(string schema) => $"""
        create function {schema}.cavecomm_chain(
            before text, common text, version bigint, ids uuid[], aliases text[], kinds integer[], contents jsonb[])
        returns text[] language plpgsql immutable as $chain$
        declare
            hashes text[] := '{"{}"}';
        begin
            for i in 1 .. cardinality(contents) loop
                before := encode(sha256(convert_to(concat(before, common, ids[i], E'\n', version + i, aliases[kinds[i]], contents[i]), 'UTF8')), 'hex');
                hashes[i] := before;
            end loop;
            return hashes;
        end
        $chain$
        """;

    /// <summary>What comes between the hash before and the event's id.</summary>
    public static string Common(DateTimeOffset at, string? actor, string streamKey) =>
        $"\n{(at - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond}\n{(actor is null ? "-" : Measured(actor))}\n{Measured(streamKey)}\n";

    /// <summary>What comes between the version and the data.</summary>
    public static string Alias(string alias) => $"\n{Measured(alias)}\n";

    private static string Measured(string text) => $"{Encoding.UTF8.GetByteCount(text)}:{text}";
}
