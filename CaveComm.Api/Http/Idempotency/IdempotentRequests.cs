using CaveComm.Api.Identity;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Http.Idempotency;

/// <summary>
/// Carries a request with an <c>Idempotency-Key</c> out once, and gives its repeats the first answer. Stands behind sign-in and antiforgery: a kept
/// answer is for who may ask now.
/// </summary>
internal sealed class IdempotentRequests(DuplicateGate gate, AnswerSeal seal)
{
    private static readonly TimeSpan Patience = AnswerTable.Patience;
    private const int MostOfARefusal = 64 * 1024;
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(2);

    public static Task Handle(HttpContext http, RequestDelegate next) =>
        HttpMethods.IsPost(http.Request.Method)
        && http.Request.Headers.ContainsKey(IdempotencyKey.Header)
        && http.GetEndpoint()?.Metadata.GetMetadata<AnswerRule>() is AnswerRule.Kept rule
        && !(rule.UnlessForm && http.AnswersForm())
            ? http.RequestServices.GetRequiredService<IdempotentRequests>().Handle(http, rule, next)
            : next(http);

    private async Task Handle(HttpContext http, AnswerRule.Kept rule, RequestDelegate next)
    {
        var header = http.Request.Headers[IdempotencyKey.Header];
        if (IdempotencyKey.Fault(header) is { } fault)
        {
            await Problems.Malformed(fault).ExecuteAsync(http);
            return;
        }

        var (print, problem) = await PrintOf(http);
        if (print is null)
        {
            await problem!.ExecuteAsync(http);
            return;
        }

        using var printing = print;
        var row = IdempotencyKey.RowOf(http, header.ToString());
        using var turn = await gate.Enter(row, Patience, http.RequestAborted);
        await (turn is null ? InHand(http).ExecuteAsync(http) : CarryOutOrReplay(http, rule, row, print, next));
    }

    private async Task CarryOutOrReplay(HttpContext http, AnswerRule.Kept rule, byte[] row, BodyPrint print, RequestDelegate next)
    {
        var writes = http.RequestServices.GetRequiredService<IKeyedWrites>();
        var request = new KeyedRequest(row, rule.InSteps, () => seal.Close(row, new KeptRequest(print.Value ?? [], null)));
        try
        {
            var kept = await writes.Start(request, http.RequestAborted);
            if (kept is null || !await WasReplayed(http, rule, row, kept, print))
            {
                await CarryOut(http, writes, row, print, next);
            }
        }
        catch (KeyInHandException)
        {
            await InHand(http).ExecuteAsync(http);
        }
        catch (AnsweredMeanwhileException)
        {
            // By another node, while this one was on its way to the same.
            var kept = await writes.Start(request with { InSteps = false }, http.RequestAborted);
            if (kept is null || !await WasReplayed(http, rule, row, kept, print))
            {
                await InHand(http).ExecuteAsync(http);
            }
        }
        finally
        {
            await writes.Drop();
        }
    }

    /// <returns>False when the request is to be gone through: its steps were begun and not ended.</returns>
    private async Task<bool> WasReplayed(HttpContext http, AnswerRule.Kept rule, byte[] row, byte[] sealedAnswer, BodyPrint print)
    {
        if (seal.Open(row, sealedAnswer) is not { } kept)
        {
            await Lost().ExecuteAsync(http);
            return true;
        }

        // An upload is heard to its end to know whether it is the same.
        if (print.Value is null && await ReadUpload(http) is { } problem)
        {
            await problem.ExecuteAsync(http);
            return true;
        }

        if (!print.Value.AsSpan().SequenceEqual(kept.Print))
        {
            await Problems.Of("idempotency-key-reused", $"This {IdempotencyKey.Header} came here with another body before. Take a new key for a new request.").ExecuteAsync(http);
            return true;
        }

        if (kept.Answer is null && rule.InSteps)
        {
            return false;
        }

        await (kept.Answer?.Write(http) ?? Lost().ExecuteAsync(http));
        return true;
    }

    private async Task CarryOut(HttpContext http, IKeyedWrites writes, byte[] row, BodyPrint print, RequestDelegate next)
    {
        var (response, gone) = (http.Features.GetRequiredFeature<IHttpResponseBodyFeature>(), http.RequestAborted);
        using var body = new MemoryStream();
        http.Response.Body = body;

        // Whoever goes away now comes back with the same key: what is begun is brought to its end, and the whole answer is kept.
        http.RequestAborted = CancellationToken.None;
        try
        {
            await next(http);
            await http.Response.BodyWriter.FlushAsync(CancellationToken.None);
        }
        finally
        {
            http.Features.Set(response);
            http.RequestAborted = gone;
        }

        if (print.Value is not null && KeptAnswer.IsSettled(http.Response.StatusCode) && (writes.HasWritten || IsWorthKeeping(http, body)))
        {
            await writes.Keep(seal.Close(row, new KeptRequest(print.Value, KeptAnswer.Of(http.Response, body.ToArray()))));
        }
        else
        {
            // What is not kept was not done.
            await writes.Drop();
        }

        if (body.Length > 0)
        {
            await http.Response.Body.WriteAsync(body.GetBuffer().AsMemory(0, (int)body.Length), gone);
        }
    }

    /// <summary>Reads the body, and leaves it readable; an upload is only watched as it is read later.</summary>
    private static async Task<(BodyPrint? Print, ProblemHttpResult? Problem)> PrintOf(HttpContext http)
    {
        var request = http.Request;
        if (Negotiation.IsMultipart(request) && Antiforgery.UploadLimit(http) is not null)
        {
            var print = BodyPrint.OfUpload();
            http.Features.Set(print);
            return (print, null);
        }

        if (request.HasFormContentType)
        {
            var (fields, problem) = await Forms.Read(http, http.RequestAborted);
            return problem is null ? (BodyPrint.OfForm(fields), null) : (null, problem);
        }

        if (await BoundedBody.Read(request, Bodies.JsonLimit, http.RequestAborted) is not { } bytes)
        {
            return (null, Problems.TooLarge(Bodies.JsonLimit));
        }

        request.Body = new MemoryStream(bytes, writable: false);
        return (BodyPrint.OfBytes(bytes), null);
    }

    private static async Task<ProblemHttpResult?> ReadUpload(HttpContext http)
    {
        var (upload, problem) = await MultipartUpload.Open(http, Antiforgery.UploadLimit(http) ?? 0, http.RequestAborted);
        if (upload is not null)
        {
            await foreach (var _ in upload.Parts(http.RequestAborted))
            {
                // Its print is all that is wanted.
            }
        }

        return problem;
    }

    // A refusal wrote nothing, and a repeat is refused again. That of somebody who is signed in is kept, so that it stays the same whatever happens
    // meanwhile; strangers could fill the disk with theirs, and take keys away from those who ask honestly.
    private static bool IsWorthKeeping(HttpContext http, MemoryStream body) => http.Caller() is not null && body.Length <= MostOfARefusal;

    private static ProblemHttpResult InHand(HttpContext http)
    {
        http.Response.Headers.RetryAfter = $"{TryAgainAfter.TotalSeconds:0}";
        return Problems.Of("idempotency-key-in-use", $"A request with this {IdempotencyKey.Header} is being carried out. Send it again in a moment to get its answer.");
    }

    private static ProblemHttpResult Lost() =>
        Problems.Of("answer-lost", "This request was carried out, but its answer was lost on the way. Look at how things stand now; do not send it again under another key.");
}
