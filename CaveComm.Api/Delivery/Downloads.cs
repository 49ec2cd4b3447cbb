using CaveComm.Api.Commissions;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Notifications;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Delivery;
using CaveComm.Projections.Commissions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace CaveComm.Api.Delivery;

/// <summary>One fetch of a file, kept as proof of delivery.</summary>
/// <param name="Range">The bytes asked for; null for the whole file.</param>
public sealed record DownloadRecord(string Id, Guid Commission, Guid FileId, string Recipient, DateTimeOffset At, string? Range);

public sealed record DownloadList(string Title, IReadOnlyList<DownloadLine> Files);

public sealed record DownloadLine(string Name, long Size, string Sha256, string Url);

/// <param name="HasExpired">The link is too old or was replaced: a fresh one can be mailed.</param>
/// <param name="IsRenewed">A fresh one was mailed just now.</param>
public sealed record DownloadModel(string Token, DownloadList? List, bool HasExpired, bool IsRenewed);

/// <summary>Download links: signed, expiring, revocable, tied to commission and recipient.</summary>
internal static class Downloads
{
    /// <summary>What the address of every download begins with; the rest of it is its key.</summary>
    public const string Beginning = "/downloads/";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/downloads/{token}", (string token, HttpContext http, DownloadServing serving, CancellationToken cancel) => serving.Serve(http, token, null, cancel))
            .WithName("Download").ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status410Gone);
        routes.MapGet("/downloads/{token}/{fileId:guid}", (string token, Guid fileId, HttpContext http, DownloadServing serving, CancellationToken cancel) => serving.Serve(http, token, fileId, cancel))
            .WithName("DownloadFile").ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status410Gone);
        routes.MapPost("/downloads/{token}/renew", Renew).WithName("RenewDownloadLink").KeepsItsAnswer().ProducesProblem(StatusCodes.Status404NotFound);
    }

    /// <summary>Mails a fresh link to the address on file, which the answer does not tell.</summary>
    private static async Task<IResult> Renew(
        string token,
        HttpContext http,
        Links links,
        CommissionHandling handling,
        IDocumentStore store,
        IOutbox outbox,
        IKeyedWrites keyed,
        TimeProvider clock,
        CancellationToken cancel)
    {
        if (links.ReadDownload(token) is not { Recipient: DownloadRecipient.Customer } read)
        {
            return Problems.Missing();
        }

        var handled = await handling.Handle(read.Commission, new CommissionCommand.RenewLink(read.Generation), "customer", cancel);
        if (handled is { Position: null, Decision.Refusal: null })
        {
            // This link was renewed before. The mail may be lost, so it is sent again, at most once an hour.
            await using var session = store.LightweightSession();
            outbox.Enroll(session);
            keyed.Enroll(session);
            await outbox.PublishAsync(
                new MailCustomer(read.Commission, CustomerLetter.FreshLink, handled.Commission.State.LinkGeneration),
                new DeliveryOptions { DeduplicationId = $"renew:{read.Commission}:{clock.GetUtcNow():yyyyMMddHH}" });
            await session.SaveChangesAsync(cancel);
        }

        return http.Answer(handled, () => http.AnswersForm() || http.WantsHtml()
            ? new RazorComponentResult<DownloadPage>(new { Model = new DownloadModel(token, null, HasExpired: true, IsRenewed: true) })
            : TypedResults.Json(new { mailed = true }, Json.Options, statusCode: StatusCodes.Status202Accepted));
    }
}

/// <summary>Serves a product's files by token.</summary>
internal sealed class DownloadServing(IDocumentStore store, IFileStore files, Links links, CommissionHandling handling, TimeProvider clock)
{
    public async Task<IResult> Serve(HttpContext http, string token, Guid? fileId, CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        if (links.ReadDownload(token) is not { } read
            || await session.Events.AggregateStreamAsync<CommissionDetail>(StreamKey.Commission(read.Commission), token: cancel) is not { } detail
            || detail.Files is []
            || (read.Recipient == DownloadRecipient.Customer && !detail.State.IsDelivered))
        {
            return Problems.Missing();
        }

        if (read.HasExpired || read.Generation != detail.State.LinkGeneration)
        {
            return http.WantsHtml()
                ? new RazorComponentResult<DownloadPage>(new { Model = new DownloadModel(token, null, HasExpired: true, IsRenewed: false) }) { StatusCode = StatusCodes.Status410Gone }
                : Problems.Of("link-expired", "This download link no longer works. A POST to …/renew mails a fresh one to the address on file.");
        }

        if (fileId is null && detail.Files.Count > 1)
        {
            var list = new DownloadList(detail.Title, [.. detail.Files.Select(f => new DownloadLine(f.Name, f.Size, f.Sha256, $"/downloads/{token}/{f.FileId}"))]);
            return http.Negotiate(list, it => new RazorComponentResult<DownloadPage>(new { Model = new DownloadModel(token, it, HasExpired: false, IsRenewed: false) }));
        }

        return detail.Files.FirstOrDefault(f => fileId is null || f.FileId == fileId) is { } file ? await Send(http, read, detail, file, cancel) : Problems.Missing();
    }

    private async Task<IResult> Send(HttpContext http, DownloadToken read, CommissionDetail detail, ProductFile file, CancellationToken cancel)
    {
        if (HttpMethods.IsGet(http.Request.Method))
        {
            await Record(http, read, detail, file, cancel);
        }

        var content = await files.OpenRead(file.FileId, cancel);
        http.Response.Headers.CacheControl = "private, no-store";
        return TypedResults.Stream(
            content, file.MediaType, file.Name, lastModified: null, entityTag: new EntityTagHeaderValue($"\"{file.Sha256}\""), enableRangeProcessing: true);
    }

    private async Task Record(HttpContext http, DownloadToken read, CommissionDetail detail, ProductFile file, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var range = http.Request.Headers.Range.ToString();
        await using var session = store.LightweightSession();
        session.Store(new DownloadRecord(
            Guid.CreateVersion7(now).ToString(), read.Commission, file.FileId, read.Recipient.ToString().ToLowerInvariant(), now, range.Length is > 0 and <= 200 ? range : null));
        await session.SaveChangesAsync(cancel);
        if (read.Recipient == DownloadRecipient.Customer && detail.State.DownloadedVersion < detail.State.DeliveredVersion)
        {
            await handling.Handle(read.Commission, new CommissionCommand.RecordDownload(detail.State.DeliveredVersion, file.FileId), "customer", cancel);
        }
    }
}
