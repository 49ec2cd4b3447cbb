using System.Net;

namespace CaveComm.Api.CommandLine.Demo;

/// <summary>Paid before the work begins, through Stripe.</summary>
internal sealed class UpFrontByStripe(Office office, StoryLog log) : Story(office, log)
{
    public override async Task Play(CancellationToken cancel)
    {
        const string work = "A portrait of Lena, in ink.";
        var (id, statusUrl) = await Request(UpFrontTemplate, "stripe", cancel);
        await Office.Decide(id, "accept", null, cancel);
        await Status(id, "awaitingPayment", cancel);
        await Office.Press(await Invoice(id, cancel), "pay", cancel);
        await Status(id, "inProgress", cancel);
        await Mail("the freelancer is mailed that it is paid", id, mail => Office.Text(mail, "subject").StartsWith("Paid:", StringComparison.Ordinal), cancel);
        await Upload(id, work, "sent", cancel);
        await Conclude(id, work, statusUrl, cancel);
    }
}

/// <summary>Paid when the work is ready, in bitcoin through BTCPay.</summary>
internal sealed class OnDeliveryByBtcPay(Office office, StoryLog log) : Story(office, log)
{
    public override async Task Play(CancellationToken cancel)
    {
        const string work = "A song for Lena, three minutes.";
        var (id, statusUrl) = await Request(OnDeliveryTemplate, "btcpay", cancel);
        await Office.Decide(id, "accept", null, cancel);
        await Status(id, "inProgress", cancel);
        await Upload(id, work, "awaitingPayment", cancel);
        await Status(id, "awaitingPayment", cancel);
        Log.Check("the customer cannot download before paying", Office.Text(await Office.AsCustomer(statusUrl, cancel), "downloadUrl").Length == 0);
        await Office.Press(await Invoice(id, cancel), "pay", cancel);
        await Conclude(id, work, statusUrl, cancel);
    }
}

/// <summary>Work agreed elsewhere: the freelancer begins with the invoice.</summary>
internal sealed class InvoiceFirst(Office office, StoryLog log) : Story(office, log)
{
    public override async Task Play(CancellationToken cancel)
    {
        const string work = "A logo for Lena's bakery.";
        var made = await Office.CreateInvoice(
            new
            {
                customer = Customer,
                description = "A logo, as agreed on the phone",
                amount = new { amount = "45.50", currency = "EUR" },
                paymentTerms = "upFront",
                provider = "stripe",
            },
            cancel);
        var id = Office.Text(made, "requestId");
        Log.Check("an invoice without a request makes a commission", id.Length > 0);
        await Status(id, "awaitingPayment", cancel);
        await Office.Press(await Invoice(id, cancel), "pay", cancel);
        await Status(id, "inProgress", cancel);
        await Upload(id, work, "sent", cancel);
        await Conclude(id, work, null, cancel);
    }
}

/// <summary>The freelancer says no, and the customer is told why.</summary>
internal sealed class DeclineWithLetter(Office office, StoryLog log) : Story(office, log)
{
    public override async Task Play(CancellationToken cancel)
    {
        const string reason = "I am booked until spring; please ask again in April.";
        var (id, _) = await Request(UpFrontTemplate, "stripe", cancel);
        await Office.Decide(id, "decline", new { reason }, cancel);
        var detail = await Status(id, "declined", cancel);
        await Mail("the customer is mailed the declining letter with the reason", mail => Office.Text(mail, "text").Contains(reason, StringComparison.Ordinal), cancel);
        Log.Check("what is declined cannot be accepted (409)", await Office.Try(id, "accept", cancel) == HttpStatusCode.Conflict);
        Once(detail, "declined");
        Log.Check("no invoice was made", Count(detail, "invoice-issued") == 0);
        await Close(detail, cancel);
    }
}

/// <summary>Two accepts at the same moment, as two open browser tabs send them.</summary>
internal sealed class TwoAccepts(Office office, StoryLog log) : Story(office, log)
{
    public override async Task Play(CancellationToken cancel)
    {
        var (id, _) = await Request(UpFrontTemplate, "stripe", cancel);
        var answers = await Task.WhenAll(Office.Try(id, "accept", cancel), Office.Try(id, "accept", cancel));
        Log.Check("one of them is taken (200)", answers.Count(it => it == HttpStatusCode.OK) == 1);
        Log.Check("the other is refused (409 or 412)", answers.Count(it => it is HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed) == 1);
        await Status(id, "awaitingPayment", cancel);
        await Invoice(id, cancel);
        var detail = await Office.Detail(id, cancel);
        Once(detail, "accepted", "invoice-issued");
        await Close(detail, cancel);
    }
}
