using CaveComm.Providers;
using CaveComm.Providers.Stripe;
using Microsoft.Extensions.Logging;
using Shouldly;

namespace CaveComm.Tests.Providers;

public sealed class ProviderLogTests
{
    [Fact] // P9
    public async Task Every_provider_response_is_logged_with_its_fields_and_without_secrets_or_personal_data()
    {
        var cancel = TestContext.Current.CancellationToken;
        var log = new KeptLog();
        var provider = new ScriptedProvider().On("GET /v1/customers", """{"data":[],"has_more":false}""").On(
            "POST /v1/customers",
            """{"error":{"type":"invalid_request_error","code":"email_invalid","message":"Invalid email address: ada@example.com"}}""",
            400,
            "application/json",
            ("Request-Id", "req_1"));
        using var gateway = new StripeGateway(
            new StripeOptions(Gateways.StripeKey, new Uri("http://stripe.test"), []), TimeProvider.System, log, provider.Handler());

        await gateway.SetUpInvoice(Gateways.Order, cancel);

        log.Lines.Count.ShouldBe(2);
        var fields = log.Lines[1];
        fields["Provider"].ShouldBe("stripe");
        fields["Operation"].ShouldBe("create-customer");
        fields["Status"].ShouldBe(400);
        fields["Path"].ShouldBe("v1/customers");
        fields["RequestId"].ShouldBe("req_1");
        fields["Key"].ShouldBe("commission:42/invoice/1/customer");
        fields["ErrorCode"].ShouldBe("email_invalid");
        fields["DurationMs"].ShouldBeOfType<double>().ShouldBeGreaterThanOrEqualTo(0);
        var everything = string.Concat(log.Lines.SelectMany(line => line.Values));
        everything.ShouldNotContain(Gateways.StripeKey);
        everything.ShouldNotContain("ada");
        everything.ShouldNotContain("Ada");
    }

    private sealed class KeptLog : ILogger<StripeGateway>
    {
        public List<Dictionary<string, object?>> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(new Dictionary<string, object?>((IEnumerable<KeyValuePair<string, object?>>)state!) { ["Text"] = formatter(state, exception) });
    }
}
