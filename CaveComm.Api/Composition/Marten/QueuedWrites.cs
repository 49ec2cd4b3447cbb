using CaveComm.Api.Http.Idempotency;

namespace CaveComm.Api.Composition;

/// <summary>
/// Marten commits a session itself and tells nobody before it does, so the key goes with the write, and the answer follows in the transaction that
/// holds the key. A repeat after a crash in between is told that the answer was lost; it is never carried out twice.
/// </summary>
internal sealed class QueuedWrites(AnswerTable table) : KeyedWrites(table)
{
    public override void Enroll(IDocumentSession session)
    {
        if (Request is not { } request)
        {
            return;
        }

        HasWritten = true;
        session.QueueSqlCommand(
            """
            insert into public.cavecomm_http_answer as kept (id, expires_at, answer) values (?, ?, ?)
            on conflict (id) do update set expires_at = excluded.expires_at, answer = excluded.answer where kept.expires_at <= ?
            """,
            [.. Table.Note(request).Parameters.Select(it => it.Value!)]);
    }

    protected override bool HoldsFromTheBeginning(KeyedRequest request) => true;
}
