namespace CaveComm.Api.Http;

/// <summary>A kind of problem that an answer can name: its page is <c>/problems/{code}</c>.</summary>
/// <param name="Code">Stable; part of the API.</param>
/// <param name="Status">The HTTP status that it is answered with.</param>
/// <param name="Title">The same for every occurrence.</param>
/// <param name="Advice">What the caller can do about it.</param>
public sealed record ProblemType(string Code, int Status, string Title, string Advice);

/// <summary>Every problem that CaveComm answers with, in one table. <c>docs/problems/README.md</c> shows the same; a test compares them.</summary>
public static class ProblemTypes
{
    public static IReadOnlyList<ProblemType> All { get; } =
    [
        // What HTTP itself can get wrong.
        new("malformed", 400, "The request cannot be read", "Mend the syntax that the detail names and send it again."),
        new("antiforgery", 400, "The form has expired or did not come from here",
            "Open the form again and send it once more; a program that uses a session cookie sends the form's token in the header RequestVerificationToken."),
        new("sign-in-required", 401, "You are not signed in", "Sign in at /freelancer/login, or send Authorization: Bearer with a valid token."),
        new("wrong-credentials", 401, "Username and password do not fit", "Check both and try again."),
        new("second-factor-required", 401, "A code is needed, too", "Send the code that the authenticator app shows as code, together with username and password."),
        new("wrong-code", 401, "The code is not right", "Wait for the next code and try again, or use a recovery code."),
        new("insufficient-scope", 403, "This token or key is not good for that", "Take a key or token with the scope that the detail names, or sign in as a person."),
        new("sign-in-too-old", 403, "This asks for a recent sign-in", "Sign in anew in this browser, and send it again."),
        new("forbidden", 403, "You may not do this", "Ask an administrator for the role that the detail names."),
        new("not-found", 404, "There is nothing here", "Check the address. Things that belong to somebody else are answered the same way."),
        new("method-not-allowed", 405, "This address does not take that method", "Use one of the methods in the Allow header."),
        new("conflict", 409, "This is not possible now", "Load the current state and decide again."),
        new("own-role", 409, "Not by your own hand", "Ask another administrator to do it."),
        new("no-shop", 409, "This account has no shop", "Let the person register as a freelancer."),
        new("exists-already", 409, "It exists already", "Choose another name, or change the one that is there."),
        new("lost-race", 409, "Somebody else was first", "Load the current state and decide again."),
        new("idempotency-key-in-use", 409, "The request is being carried out", "Send it again, with the same key, after the time in the Retry-After header."),
        new("answer-lost", 409, "The request was carried out, but its answer is gone", "Look at how things stand now before you ask for anything again."),
        new("version-mismatch", 412, "It has changed since you read it", "Load it again; its ETag is the version to name in If-Match."),
        new("too-large", 413, "The request is too large", "Send less: the detail names the limit."),
        new("unsupported-media-type", 415, "This content type is not taken", "Send application/json or a form."),
        new("invalid", 422, "Something in the request breaks a rule", "Mend every field that errors names and send it again."),
        new("idempotency-key-reused", 422, "The Idempotency-Key belongs to another request", "Take a new key for a new request; a repeat has the very same body."),
        new("too-many-requests", 429, "Too many requests", "Wait as long as the Retry-After header says."),
        new("internal", 500, "Something broke on our side", "Try again; if it stays, tell the operator the trace id."),
        new("unavailable", 503, "Something that we depend on does not answer", "Try again after the time in the Retry-After header."),

        // Accounts.
        new("handle-taken", 409, "The handle is taken", "Choose another handle."),
        new("username-taken", 409, "The username is taken", "Sign in, or register with another address."),
        new("already-registered", 409, "The account is registered", "Sign in with it."),
        new("external-sign-in", 403, "People do not sign in here", "Sign in at the issuer that the detail names, and send its token."),
        new("not-registered", 403, "There is no account for this sign-in yet", "Send the token to POST /freelancer/register, with a handle and a name."),
        new("registration-closed", 403, "Registration is closed", "Ask the operator of this installation for an account."),
        new("second-factor-on", 409, "The second factor is on", "Turn it off first."),
        new("second-factor-off", 409, "The second factor is off", "Turn it on first."),
        new("no-such-key", 404, "There is no such key", "Look at the list of keys."),
        new("too-many-keys", 409, "There are too many keys", "Revoke a key that is not used any more."),
        new("invitation-needed", 403, "A good invitation is needed", "Ask the operator of this installation for an invitation; each is good for one person and a limited time."),
        new("no-such-invitation", 404, "There is no such invitation", "Look at the list of invitations."),
        new("invitation-used", 409, "The invitation was used", "Nothing is left to do."),
        new("link-not-good", 403, "The link is not good, or no longer", "Ask for a new one at /account/password-reset."),
        new("authorization-refused", 400, "This app cannot be let in", "Tell the maker of the app: it sent you here with a request that does not fit what is registered for it."),
        new("no-such-client", 404, "There is no such client", "Look at the list of clients."),
        new("client-configured", 409, "The client stands in the configuration", "Take it out of OAuth:Clients and start the product again."),
        new("no-account", 404, "There is no such account", "Check the address."),

        // Commissions.
        new("wrong-stage", 409, "This is not possible at the commission's stage", "Look at the commission's status and its history."),
        new("slots-full", 409, "All slots are taken", "Ask again when one of the open commissions is delivered."),
        new("commissions-closed", 409, "The freelancer takes no commissions now", "Come back when the freelancer is open again."),
        new("no-such-commission", 404, "There is no such commission", "Check the address."),
        new("no-such-freelancer", 404, "There is no such freelancer", "Check the handle."),
        new("no-such-template", 404, "There is no such template", "Look at the freelancer's list of templates."),
        new("no-such-provider", 404, "There is no such payment provider", "Use stripe or btcpay."),
        new("no-invoice", 409, "There is no open invoice", "Look at the commission's invoice and history."),
        new("no-files", 422, "The upload holds no file", "Send at least one file as multipart/form-data."),
        new("nothing-to-deliver", 409, "There is no product yet", "Upload the final product first."),
        new("link-expired", 410, "The download link no longer works", "Ask for a fresh one by a POST to the link's address followed by /renew."),

        // Payments.
        new("bad-signature", 400, "The webhook's signature does not fit", "Check the webhook secret at the provider and here."),
        new("not-configured", 404, "The payment provider is not configured", "Ask the operator."),
        new("currency-mismatch", 422, "The payment is in another currency than the commission", "A person has to look at the payment."),
        new("nothing-to-refund", 409, "There is nothing to refund", "Look at the commission's payments and refunds."),
        new("refund-too-high", 422, "More than can be refunded", "Refund at most what the detail names."),
        new("invalid-amount", 422, "The amount is not positive", "Name an amount above zero."),
        new("no-such-refund", 404, "There is no such refund", "Look at the commission's refunds."),
        new("refund-mismatch", 422, "The refund does not fit the payment", "A person has to look at the refund."),
        new("dispute-mismatch", 422, "The dispute does not fit the payment", "A person has to look at the dispute."),
        new("nothing-to-honour", 409, "There is nothing to honour", "Look at the commission's payments."),
        new("invoice-open", 409, "There is an open invoice", "Wait until it is paid, expired or voided."),
        new("payout-account-refused", 422, "The provider makes no such account", "Mend what the detail names, or set an account that you have already."),
        new("customer-erased", 409, "The customer's personal data was erased", "Nothing can be made out to this customer any more."),

        // Administration and audit.
        new("no-such-projection", 404, "There is no such projection", "Use one of the names that the detail lists."),
        new("rebuild-running", 409, "The projection is being rebuilt already", "Wait for that rebuild; progress tells how far it is."),
        new("no-such-message", 404, "There is no such message", "Look at the list of messages; one that was handled is not kept."),
        new("not-dead", 409, "The message is not a dead letter", "Load it again: the detail says what it is."),
        new("nothing-to-replay", 404, "No dead letter fits", "Ask for less; the detail lists the types that there are."),
        new("replay-running", 409, "Dead letters are being sent again already", "Wait until they are sent; progress tells how far it is."),
        new("no-such-replay", 404, "There is no such replay", "Check the address."),
        new("no-such-stream", 404, "There is no such stream", "Check the key; the detail lists streams that begin alike."),
    ];

    private static readonly Dictionary<string, ProblemType> ByCode = All.ToDictionary(it => it.Code, StringComparer.Ordinal);

    public static ProblemType? Find(string code) => ByCode.GetValueOrDefault(code);

    /// <summary>The general kind for a status that came without a problem of its own.</summary>
    public static ProblemType ForStatus(int status) => status switch
    {
        400 => ByCode["malformed"],
        401 => ByCode["sign-in-required"],
        403 => ByCode["forbidden"],
        404 => ByCode["not-found"],
        405 => ByCode["method-not-allowed"],
        409 => ByCode["conflict"],
        412 => ByCode["version-mismatch"],
        413 => ByCode["too-large"],
        415 => ByCode["unsupported-media-type"],
        422 => ByCode["invalid"],
        429 => ByCode["too-many-requests"],
        503 => ByCode["unavailable"],
        >= 400 and < 500 => ByCode["malformed"] with { Status = status },
        _ => ByCode["internal"] with { Status = status },
    };
}
