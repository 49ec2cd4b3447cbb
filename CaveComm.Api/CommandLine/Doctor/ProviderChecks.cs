using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace CaveComm.Api.CommandLine.Doctor;

/// <summary>Stripe, BTCPay and the mail server, as far as they are configured: each is asked one harmless question.</summary>
internal static class ProviderChecks
{
    private static readonly string[] BtcPayKeys = ["ApiKey", "StoreId", "WebhookSecrets"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static async Task<IReadOnlyList<Finding>> Run(OperatorConfiguration configuration, CancellationToken cancel)
    {
        using var client = new HttpClient { Timeout = Patience };
        return [.. await Stripe(configuration, client, cancel), .. await BtcPay(configuration, client, cancel), await Mail(configuration, cancel)];
    }

    private static async Task<IEnumerable<Finding>> Stripe(OperatorConfiguration configuration, HttpClient client, CancellationToken cancel)
    {
        const string subject = "Stripe";
        if (configuration.Value("Stripe:ApiKey") is not { } key)
        {
            return [Missing(subject, "Stripe__ApiKey and Stripe__WebhookSecrets")];
        }

        var findings = new List<Finding>();
        if (configuration.Value("Stripe:WebhookSecrets") is null)
        {
            findings.Add(Finding.Wrong(subject, "no webhook secret: every webhook would be refused", "Set Stripe__WebhookSecrets to the endpoint's whsec_… value."));
        }

        if (OperatorConfiguration.IsProduction && key.Contains("_test_", StringComparison.Ordinal))
        {
            findings.Add(Finding.Note(subject, "the key is a test key: no real money moves"));
        }

        var address = configuration["Stripe:ApiBase"] ?? "https://api.stripe.com";
        using var ask = Get($"{address}/v1/balance", "Bearer", key);
        findings.Add(await Answer(subject, address, client, ask, "Set Stripe__ApiKey to a key of this account (Developers → API keys).", cancel));
        return findings;
    }

    private static async Task<IEnumerable<Finding>> BtcPay(OperatorConfiguration configuration, HttpClient client, CancellationToken cancel)
    {
        const string subject = "BTCPay";
        if (configuration.Value("BTCPay:Url") is not { } url)
        {
            return [Missing(subject, "BTCPay__Url, BTCPay__ApiKey, BTCPay__StoreId and BTCPay__WebhookSecrets")];
        }

        var findings = new List<Finding>();
        foreach (var needed in BtcPayKeys.Where(name => configuration.Value($"BTCPay:{name}") is null))
        {
            findings.Add(Finding.Wrong(subject, $"BTCPay:{needed} is not set", $"Set BTCPay__{needed} from the store's settings in BTCPay Server."));
        }

        if (findings.Count == 0)
        {
            using var ask = Get(
                $"{url.TrimEnd('/')}/api/v1/stores/{configuration.Value("BTCPay:StoreId")}", "token", configuration.Value("BTCPay:ApiKey")!);
            findings.Add(await Answer(
                subject, url, client, ask, "Make an API key with the rights on this store's invoices, webhooks and payouts (Account → API keys).", cancel));
        }

        return findings;
    }

    private static async Task<Finding> Mail(OperatorConfiguration configuration, CancellationToken cancel)
    {
        const string subject = "Mail";
        if (configuration.Value("Smtp:Host") is not { } host)
        {
            return Missing(subject, "Smtp__Host, Smtp__Port and Smtp__From");
        }

        var port = int.TryParse(configuration["Smtp:Port"], out var given) ? given : 25;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        try
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(host, port, patience.Token);

            // A server that speaks TLS from the first byte greets only after that.
            if (port == 465)
            {
                return Finding.Good(subject, $"{host}:{port} takes connections");
            }

            using var reader = new StreamReader(connection.GetStream());
            var greeting = await reader.ReadLineAsync(patience.Token);
            return greeting?.StartsWith("220", StringComparison.Ordinal) == true
                ? Finding.Good(subject, $"{host}:{port} greets")
                : Finding.Wrong(subject, $"{host}:{port} answers '{greeting}'", "Check Smtp__Host and Smtp__Port: this is no mail server that would take our mail.");
        }
        catch (Exception refused) when (refused is SocketException or IOException || (refused is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return Finding.Wrong(subject, $"{host}:{port} cannot be reached: {refused.Message}", "Check Smtp__Host and Smtp__Port, and the firewall between.");
        }
    }

    private static Finding Missing(string subject, string keys) => OperatorConfiguration.IsProduction
        ? Finding.Wrong(subject, "not configured", $"Set {keys}: in Production no look-alike stands in for it.")
        : Finding.Note(subject, "not configured: the sandbox's look-alike is used");

    private static HttpRequestMessage Get(string url, string scheme, string key) =>
        new(HttpMethod.Get, url) { Headers = { Authorization = new AuthenticationHeaderValue(scheme, key) } };

    private static async Task<Finding> Answer(
        string subject, string address, HttpClient client, HttpRequestMessage ask, string remedy, CancellationToken cancel)
    {
        try
        {
            using var answer = await client.SendAsync(ask, cancel);
            return answer.StatusCode switch
            {
                HttpStatusCode.OK => Finding.Good(subject, $"{address} accepts the key"),
                HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound =>
                    Finding.Wrong(subject, $"{address} refuses the key ({(int)answer.StatusCode})", remedy),
                var other => Finding.Wrong(subject, $"{address} answers {(int)other}", "Look at the provider's status page, and try again later."),
            };
        }
        catch (Exception refused) when (refused is HttpRequestException || (refused is TaskCanceledException && !cancel.IsCancellationRequested))
        {
            return Finding.Wrong(subject, $"{address} cannot be reached: {refused.Message}", "Check the address, the name service and the firewall.");
        }
    }
}
