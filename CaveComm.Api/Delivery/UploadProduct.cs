using CaveComm.Api.Commissions;
using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Api.Recurring;
using CaveComm.Domain;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Delivery;
using CaveComm.Projections.Commissions;

namespace CaveComm.Api.Delivery;

/// <param name="DownloadUrl">The freelancer's own link to the product.</param>
/// <param name="Delivery"><c>sent</c>, <c>awaitingPayment</c> or <c>awaitingUpFrontPayment</c>.</param>
public sealed record ProductAnswer(IReadOnlyList<FileJson> Files, string DownloadUrl, string Delivery);

/// <summary>F13 to F15: the freelancer uploads the final product, which goes to storage as it arrives; then the payment terms decide.</summary>
internal static class UploadProduct
{
    public const long MostBytes = 20L * 1024 * 1024 * 1024;
    private const int MostFiles = 100;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/freelancer/{freelancer}/requests/{requestID:guid}/finalProduct", Handle)
            .WithName(nameof(UploadProduct))
            .RequireFreelancer()
            .StreamsUpload(MostBytes)
            .KeepsItsAnswer()
            .Produces<ProductAnswer>(StatusCodes.Status201Created)
            .ProducesProblem(StatusCodes.Status409Conflict)
            .ProducesProblem(StatusCodes.Status412PreconditionFailed)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge);
        routes.MapPost("/freelancer/{freelancer}/requests/{requestID:guid}/release", (
            string freelancer, Guid requestID, HttpContext http, CommissionHandling handling, IDocumentStore store, CancellationToken cancel) =>
            http.Act(freelancer, requestID, new CommissionCommand.Release(), handling, store, cancel))
            .WithName("ReleaseUnpaid")
            .RequireFreelancer()
            .KeepsItsAnswer()
            .Produces<RequestStatus>()
            .ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> Handle(
        string freelancer,
        Guid requestID,
        HttpContext http,
        CommissionHandling handling,
        IDocumentStore store,
        IFileStore files,
        Links links,
        TimeProvider clock,
        CancellationToken cancel)
    {
        await using var session = store.QuerySession();
        if (await session.Detail(freelancer, requestID, cancel) is not { } before)
        {
            return Problems.Missing();
        }

        // Gigabytes are not taken in for a commission that cannot have them.
        if (!http.IfMatch().Allows(before.Version))
        {
            return http.VersionMismatch(before.Version);
        }

        if (CommissionDecider.Decide(before.State, new CommissionCommand.UploadProduct([Placeholder])).Refusal is { } refusal)
        {
            return refusal.ToProblem();
        }

        var (upload, problem) = await MultipartUpload.Open(http, MostBytes, cancel);
        if (upload is null)
        {
            return problem!;
        }

        var stored = new List<ProductFile>();
        var mayBeNamed = false;
        try
        {
            await Store(upload, requestID, store, files, stored, clock, cancel);

            // From here on the caller's going away changes nothing: a commit that is cut off has an unknown outcome.
            mayBeNamed = true;
            var handled = await handling.Handle(
                requestID, new CommissionCommand.UploadProduct(stored), CommissionEndpoint.Actor(freelancer), http.IfMatch().Allows, Named(stored), CancellationToken.None);
            mayBeNamed = handled.Position is not null;
            return http.Answer(handled, () => http.Done(CommissionEndpoint.Page(freelancer, requestID), Created(before, handled.Commission.State, stored, links)));
        }
        catch (Exception unwritten) when (unwritten is KeyInHandException or AnsweredMeanwhileException)
        {
            mayBeNamed = false;
            throw;
        }
        catch (FileTooLargeException)
        {
            return Problems.TooLarge(MostBytes);
        }
        finally
        {
            // A broken or refused upload leaves nothing behind. After an unknown outcome of the commit the files stay: an event may name them.
            if (!mayBeNamed)
            {
                foreach (var file in stored)
                {
                    await files.Delete(file.FileId, CancellationToken.None);
                }
            }
        }
    }

    private static readonly ProductFile Placeholder = new(Guid.Empty, "", 0, "", "");

    // With the commit that names the files there is nothing left to clear up.
    private static Func<IDocumentSession, CancellationToken, Task<Refusal?>> Named(List<ProductFile> stored) => (session, _) =>
    {
        stored.ForEach(file => session.Delete<PendingUpload>(PendingUpload.Key(file.FileId)));
        return Task.FromResult<Refusal?>(null);
    };

    // Noted before the file is there: whatever happens in between, OrphanFiles knows of it.
    private static async Task Announce(IDocumentStore store, Guid file, Guid commission, DateTimeOffset now, CancellationToken cancel)
    {
        await using var session = store.LightweightSession();
        session.Store(PendingUpload.Of(file, commission, now));
        await session.SaveChangesAsync(cancel);
    }

    private static async Task Store(
        MultipartUpload upload, Guid commission, IDocumentStore store, IFileStore files, List<ProductFile> stored, TimeProvider clock, CancellationToken cancel)
    {
        var left = MostBytes;
        await foreach (var part in upload.Parts(cancel))
        {
            if (part is UploadPart.File file)
            {
                if (stored.Count == MostFiles)
                {
                    throw new BadHttpRequestException($"At most {MostFiles} files make a product.", StatusCodes.Status413PayloadTooLarge);
                }

                var id = Guid.CreateVersion7(clock.GetUtcNow());
                await Announce(store, id, commission, clock.GetUtcNow(), cancel);
                var content = await files.Save(id, file.Content, left, cancel);
                left -= content.Size;
                stored.Add(new ProductFile(id, file.FileName, content.Size, content.Sha256, file.MediaType));
            }
        }
    }

    private static IResult Created(CommissionDetail detail, Commission state, List<ProductFile> stored, Links links)
    {
        var url = links.Download(detail with { State = state }, DownloadRecipient.Freelancer).AbsoluteUri;
        var delivery = (state.IsDelivered, state.PaymentTerms) switch
        {
            (true, _) => "sent",
            (false, PaymentTerms.UpFront) => "awaitingUpFrontPayment",
            (false, PaymentTerms.OnDelivery) => "awaitingPayment",
        };
        return TypedResults.Created(url, new ProductAnswer([.. stored.Select(FileJson.Of)], url, delivery));
    }
}
