using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CaveComm.Domain.Payments;

namespace CaveComm.Tests.Providers;

/// <summary>A gateway with its look-alike server behind it, and a hand on that server.</summary>
internal abstract class ProviderBench(DirectoryInfo folder) : IAsyncDisposable
{
    /// <summary>Shorter than a look-alike's silence, longer than a slow machine's answer.</summary>
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public abstract IPaymentProvider Gateway { get; }

    public LossyWire Wire { get; } = new();

    /// <summary>Calls the look-alike beside the gateway.</summary>
    protected HttpClient Hand { get; } = new();

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public abstract Task<int> CountInvoices(string key);

    public abstract Task<int> CountPayouts(Guid commission);

    /// <summary>A payout of the money that came in for an invoice.</summary>
    public abstract PayoutOrder Payout(string key, InvoiceSnapshot paid, Guid commission);

    public abstract Task<int> CountRefunds();

    /// <summary>A refund of a tenth of an invoice.</summary>
    public static RefundOrder Refund(InvoiceSnapshot paid, Guid commission, int number)
    {
        var payment = paid.Payments[0];
        return new(
            $"commission:{commission}/refund/{number}",
            commission,
            number,
            payment.PaymentId,
            payment.Charge,
            payment.Amount with { Minor = payment.Amount.Minor / 10 },
            payment.Received with { Minor = payment.Received.Minor / 10 });
    }

    public static InvoiceOrder Order()
    {
        var commission = Guid.CreateVersion7();
        return Gateways.Order with { Key = $"commission:{commission}/invoice/1", Commission = commission };
    }

    public async Task<InvoiceSetUp.Issued> Issue(InvoiceOrder order) =>
        Assert.IsType<InvoiceSetUp.Issued>(await Gateway.SetUpInvoice(order, Cancel));

    public async Task<InvoiceSnapshot> Paid(InvoiceOrder order, string action = "pay")
    {
        var issued = await Issue(order);
        await Press(issued.PayUrl, action);
        return await Fetched(issued.InvoiceId, invoice => invoice.Standing == InvoiceStanding.Paid);
    }

    /// <summary>Presses a button of the pay page, as the customer would.</summary>
    public async Task Press(Uri payUrl, string action)
    {
        using var form = new FormUrlEncodedContent([new("action", action)]);
        using var request = new HttpRequestMessage(HttpMethod.Post, payUrl) { Content = form };
        request.Headers.Accept.ParseAdd("application/json");
        using var answer = await Hand.SendAsync(request, Cancel);
        answer.EnsureSuccessStatusCode();
    }

    public async Task<InvoiceSnapshot> Fetched(string invoiceId, Func<InvoiceSnapshot, bool> wanted) =>
        (await Until(() => Gateway.FetchInvoice(invoiceId, Cancel), invoice => invoice is not null && wanted(invoice)))!;

    public async Task<PayoutSnapshot> Settled(PayoutSnapshot payout, PayoutOrder order) =>
        (await Until(() => Gateway.FetchPayout(payout.PayoutId!, order.Destination, Cancel), it => it is { Standing: not PayoutStanding.Pending }))!;

    public async Task Control(object wanted)
    {
        using var answer = await Hand.PostAsJsonAsync(new Uri(Hand.BaseAddress!, "_control"), wanted, Cancel);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Asks again and again with the same key, as the queue does, until it is known how it went.</summary>
    public static async Task<T> Insist<T>(Func<Task<T>> ask)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return await ask();
            }
            catch (GatewayUnavailableException) when (tries < 20)
            {
                // The outcome is unknown.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Stop();
        Hand.Dispose();
        Wire.Dispose();
        folder.Delete(recursive: true);
    }

    protected abstract Task Stop();

    protected async Task<JsonNode> Read(string path) =>
        await Hand.GetFromJsonAsync<JsonNode>(new Uri(Hand.BaseAddress!, path), Cancel) ?? throw new InvalidOperationException($"{path} is empty.");

    private static async Task<T> Until<T>(Func<Task<T>> read, Func<T, bool> wanted)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var seen = await read();
            if (wanted(seen))
            {
                return seen;
            }

            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60), $"Still {seen}.");
            await Task.Delay(20, Cancel);
        }
    }
}
