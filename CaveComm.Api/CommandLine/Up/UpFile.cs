namespace CaveComm.Api.CommandLine.Up;

/// <summary><c>up.json</c>: what a script needs to talk to the running product and its sandbox.</summary>
internal sealed record UpFile(
    string Url,
    string? Stripe,
    string? Btcpay,
    string? Mail,
    string Database,
    UpWebhookSecrets? WebhookSecrets,
    DemoAccounts? Accounts);

internal sealed record UpWebhookSecrets(string Stripe, string Btcpay);
