using CaveComm.Api.Http;
using CaveComm.Api.Http.Idempotency;
using CaveComm.Api.Identity;
using CaveComm.Domain;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.OwnAccount;

/// <param name="Setup">Of <c>GET /account/second-factor</c>.</param>
/// <param name="Code">That the app shows now.</param>
/// <param name="Password">The account's: a stolen session shall not shut the owner out.</param>
public sealed record TurnOnBody(string Setup, string Code, string Password);

/// <param name="Password">The account's.</param>
public sealed record ConfirmBody(string Password);

/// <param name="Offer">What an app has to be told to turn it on; null when it is on.</param>
public sealed record SecondFactorState(bool On, int RecoveryCodesLeft, FactorSetup? Offer);

/// <param name="RecoveryCodes">Each is good once, in place of a code of the app. Shown this once.</param>
public sealed record RecoveryCodesAnswer(IReadOnlyList<string> RecoveryCodes);

/// <summary>Codes of an authenticator app beside the password.</summary>
internal static class SecondFactorEndpoints
{
    public const string Path = "/account/second-factor";
    private const string Secret = "The answer is a secret: recovery codes, which are shown once.";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var factor = routes.MapGroup(Path).RequireSignIn();
        factor.MapGet("", Show).WithName("ShowSecondFactor").Produces<SecondFactorState>();
        factor.MapPost("", TurnOn).WithName("TurnOnSecondFactor").TakesBody<TurnOnBody>().KeepsNoAnswer(Secret)
            .Produces<RecoveryCodesAnswer>().ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status429TooManyRequests);
        factor.MapPost("/recovery-codes", MakeCodes).WithName("MakeRecoveryCodes").TakesBody<ConfirmBody>().KeepsNoAnswer(Secret)
            .Produces<RecoveryCodesAnswer>().ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status429TooManyRequests);
        factor.MapPost("/off", TurnOff).WithName("TurnOffSecondFactor").TakesBody<ConfirmBody>().KeepsNoAnswer("A repeat changes nothing; the answer holds a session.")
            .Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status429TooManyRequests);
    }

    private static async Task<IResult> Show(HttpContext http, IDocumentStore store, SecondFactors factors, CancellationToken cancel) =>
        http.Negotiate(await State(http, store, factors, null, cancel), it => new RazorComponentResult<SecondFactorPage>(new { State = it }));

    private static async Task<IResult> TurnOn(
        HttpContext http, SignInDesk desk, SecondFactors factors, AccountChanges changes, IDocumentStore store, CancellationToken cancel)
    {
        var reading = await http.ReadBody<TurnOnBody>(cancel);
        if (reading.Readable is null && reading.Faults is null)
        {
            return reading.Problem!;
        }

        var (faults, problem) = await Confirm(http, desk, reading, reading.Readable?.Password, cancel);
        if (problem is not null)
        {
            return problem;
        }

        var caller = http.Caller()!;
        IReadOnlyList<string> codes = [];
        if (faults.IsEmpty)
        {
            (codes, var refusal) = await factors.TurnOn(
                caller, reading.Value!.Setup, reading.Value.Code, session => changes.Tell(session, caller.AccountId, AccountLetter.SecondFactorTurnedOn), cancel);
            if (refusal is { Fields: null })
            {
                return refusal.ToProblem();
            }

            foreach (var (field, messages) in refusal?.Fields ?? new Dictionary<string, string[]>())
            {
                faults.Add(field, messages[0]);
            }
        }

        return faults.IsEmpty ? Codes(http, codes, "Codes are asked for from now on.") : await Again(http, store, factors, reading, faults, "on", cancel);
    }

    private static async Task<IResult> MakeCodes(HttpContext http, SignInDesk desk, SecondFactors factors, IDocumentStore store, CancellationToken cancel)
    {
        var reading = await http.ReadBody<ConfirmBody>(cancel);
        var (faults, problem) = await Confirm(http, desk, reading, reading.Readable?.Password, cancel);
        if (problem is not null || !faults.IsEmpty)
        {
            return problem ?? await Again(http, store, factors, reading, faults, "codes", cancel);
        }

        var (codes, refusal) = await factors.MakeRecoveryCodes(http.Caller()!, cancel);
        return refusal is not null ? refusal.ToProblem() : Codes(http, codes, "The recovery codes of before are void.");
    }

    private static async Task<IResult> TurnOff(
        HttpContext http, SignInDesk desk, SecondFactors factors, AccountChanges changes, Sessions sessions, IDocumentStore store, CancellationToken cancel)
    {
        var reading = await http.ReadBody<ConfirmBody>(cancel);
        var (faults, problem) = await Confirm(http, desk, reading, reading.Readable?.Password, cancel);
        if (problem is not null || !faults.IsEmpty)
        {
            return problem ?? await Again(http, store, factors, reading, faults, "off", cancel);
        }

        var caller = http.Caller()!;
        var decision = await factors.TurnOff(caller, session => changes.Tell(session, caller.AccountId, AccountLetter.SecondFactorTurnedOff), cancel);
        if (decision.Refusal is { } refusal)
        {
            return refusal.ToProblem();
        }

        if (http.AnswersForm())
        {
            await sessions.StartAnew(http, caller, decision, isProved: true, cancel);
        }

        return http.Done(Path, TypedResults.NoContent());
    }

    /// <returns>Faults that the form is shown again with, or the problem that ends it.</returns>
    private static async Task<(Faults Faults, IResult? Problem)> Confirm<T>(HttpContext http, SignInDesk desk, BodyReading<T> reading, string? password, CancellationToken cancel)
        where T : class
    {
        if (reading.Problem is { } problem)
        {
            return (reading.Faults ?? new Faults(), reading.Faults is null ? problem : null);
        }

        return await desk.Confirm(http, http.Caller()!, password ?? "", cancel) switch
        {
            null => (new Faults(), null),
            SignInOutcome.TooMany over => (new Faults(), Problems.TooMany(http, Confirmation.TooOften, over.RetryAfter)),
            _ => (new Faults().Add("password", Confirmation.Wrong), null),
        };
    }

    private static async Task<IResult> Again<T>(
        HttpContext http, IDocumentStore store, SecondFactors factors, BodyReading<T> reading, Faults faults, string form, CancellationToken cancel)
        where T : class
    {
        if (!http.AnswersForm())
        {
            return faults.ToProblem();
        }

        var state = await State(http, store, factors, reading.Entered.GetValueOrDefault("setup"), cancel);
        return new RazorComponentResult<SecondFactorPage>(new { State = state, Faults = faults, Form = form }) { StatusCode = StatusCodes.Status422UnprocessableEntity };
    }

    /// <param name="setup">Of a form that comes back: what the app was told already stays.</param>
    private static async Task<SecondFactorState> State(HttpContext http, IDocumentStore store, SecondFactors factors, string? setup, CancellationToken cancel)
    {
        var caller = http.Caller()!;
        var account = await store.AccountOf(caller, cancel);
        return new SecondFactorState(account.HasSecondFactor, account.RecoveryCodesLeft, account.HasSecondFactor ? null : factors.Again(caller, setup) ?? factors.Offer(caller));
    }

    private static IResult Codes(HttpContext http, IReadOnlyList<string> codes, string done) => http.AnswersForm()
        ? new RazorComponentResult<RecoveryCodesPage>(new { Codes = codes, Done = done })
        : TypedResults.Json(new RecoveryCodesAnswer(codes), Json.Options);
}
