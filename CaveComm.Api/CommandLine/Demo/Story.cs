using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace CaveComm.Api.CommandLine.Demo;

/// <summary>One way a commission can go, played and checked from outside.</summary>
internal abstract class Story(Office office, StoryLog log)
{
    protected const string UpFrontTemplate = "demo-portrait";
    protected const string OnDeliveryTemplate = "demo-song";

    protected Office Office { get; } = office;

    protected StoryLog Log { get; } = log;

    /// <summary>A new customer for each story, so that the mails of one are never taken for another's.</summary>
    protected string Email { get; } = $"lena.{RandomNumberGenerator.GetHexString(8, lowercase: true)}@customers.example";

    protected object Customer => new { name = "Lena Example", email = Email };

    public abstract Task Play(CancellationToken cancel);

    public static async Task Prepare(Office office, CancellationToken cancel)
    {
        await office.SignIn(cancel);
        await office.PublishTemplate(UpFrontTemplate, Template("A portrait", "Ink on paper, about A4.", "120.00", "upFront"), cancel);
        await office.PublishTemplate(OnDeliveryTemplate, Template("A song", "Three minutes, your words.", "80.00", "onDelivery"), cancel);
    }

    protected async Task<(string Id, string StatusUrl)> Request(string template, string provider, CancellationToken cancel)
    {
        var made = await Office.Request(template, new { customer = Customer, answers = new { }, provider, acceptedTerms = true }, cancel);
        Log.Check("a request is stored and answered with 201 and status 'requested'", Office.Text(made, "status") == "requested");
        var id = Office.Text(made, "requestId");
        await Mail("the customer is mailed an acknowledgement", mail => Office.Text(mail, "text").Contains(id, StringComparison.Ordinal), cancel);
        return (id, Office.Text(made, "statusUrl"));
    }

    protected Task<JsonNode> Status(string id, string status, CancellationToken cancel) => Status(id, [status], cancel);

    protected async Task<JsonNode> Status(string id, string[] anyOf, CancellationToken cancel)
    {
        var last = "";
        try
        {
            var detail = await Office.Until(
                "",
                async () =>
                {
                    var seen = await Office.Detail(id, cancel);
                    last = Office.Text(seen, "status");
                    return anyOf.Contains(last) ? seen : null;
                },
                cancel);
            Log.Check($"the commission is '{last}'", holds: true);
            return detail;
        }
        catch (DemoFailure)
        {
            throw new DemoFailure($"The commission should become '{anyOf[0]}' and stays '{last}'.");
        }
    }

    /// <summary>Waits for the pay link, which follows when the provider has answered, and for the mail that brings it.</summary>
    protected async Task<string> Invoice(string id, CancellationToken cancel)
    {
        var payUrl = await Office.Until(
            "the invoice has a pay link",
            async () => (await Office.Detail(id, cancel))["invoice"] is { } invoice && Office.Text(invoice, "payUrl") is { Length: > 0 } url ? url : null,
            cancel);
        await Mail(
            "the customer is mailed the invoice with its pay link",
            mail => Office.Text(mail, "text").Contains(payUrl, StringComparison.Ordinal) || Office.Text(mail, "html").Contains(payUrl, StringComparison.Ordinal),
            cancel);
        return payUrl;
    }

    protected Task Mail(string rule, Func<JsonNode, bool> isMeant, CancellationToken cancel) => Mail(rule, Email, isMeant, cancel);

    protected async Task Mail(string rule, string about, Func<JsonNode, bool> isMeant, CancellationToken cancel)
    {
        await Office.Until(rule, async () => (await Office.Mails(about, cancel)).FirstOrDefault(isMeant), cancel);
        Log.Check(rule, holds: true);
    }

    protected async Task Upload(string id, string content, string expected, CancellationToken cancel)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        var answer = await Office.Upload(id, "final.txt", bytes, cancel);
        Log.Check($"the upload answers delivery '{expected}'", Office.Text(answer, "delivery") == expected);
        var own = await Office.Download(Office.Text(answer, "downloadUrl"), cancel);
        Log.Check("the freelancer's own link gives the file back, byte for byte", own.AsSpan().SequenceEqual(bytes));
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes));
        Log.Check("its SHA-256 is right", string.Equals(Office.Text(answer["files"]![0], "sha256"), sha256, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>From payment to payout: what every paid commission ends with, and that each thing happened once.</summary>
    protected async Task Conclude(string id, string content, string? statusUrl, CancellationToken cancel)
    {
        if (statusUrl is not null)
        {
            var url = await Office.Until(
                "the customer's page has the download link",
                async () => Office.Text(await Office.AsCustomer(statusUrl, cancel), "downloadUrl") is { Length: > 0 } link ? link : null,
                cancel);
            var bytes = await Office.Download(url, cancel);
            Log.Check("the customer downloads the file, byte for byte", bytes.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(content)));
        }

        await Mail("the customer is mailed the download link", mail => Office.Text(mail, "text").Contains("/downloads/", StringComparison.Ordinal), cancel);
        await Status(id, "paidOut", cancel);
        await Mail(
            "the freelancer is mailed the payout",
            id,
            mail => Office.Text(mail, "subject").StartsWith("Paid out", StringComparison.Ordinal),
            cancel);
        var detail = await Office.Detail(id, cancel);
        Log.Check("there is one payment, of the invoice's amount", detail["payments"]!.AsArray().Count == 1 && JsonNode.DeepEquals(detail["price"], detail["received"]));
        Once(detail, "payment-received", "delivered", "payout-requested", "paid-out", "invoice-issued");
        await Close(detail, cancel);
    }

    protected void Once(JsonNode detail, params string[] events)
    {
        foreach (var name in events)
        {
            Log.Check($"{name} happened once", Count(detail, name) == 1);
        }
    }

    protected static int Count(JsonNode detail, string name) =>
        detail["history"]!.AsArray().Count(line => Office.Text(line, "type") == "commission." + name);

    /// <summary>Shows history and mails, and checks that no mail came twice.</summary>
    protected async Task Close(JsonNode detail, CancellationToken cancel)
    {
        var id = Office.Text(detail, "requestId");
        var mails = (await Office.Mails(Email, cancel)).UnionBy(await Office.Mails(id, cancel), mail => Office.Text(mail, "id")).ToList();
        var versions = detail["history"]!.AsArray().Select(line => line!["version"]!.GetValue<long>()).ToList();
        Log.Check("the events are numbered from 1 without a gap", versions.SequenceEqual(Enumerable.Range(1, versions.Count).Select(it => (long)it)));
        Log.Check("each Message-ID is in the mailbox once", mails.GroupBy(mail => Office.Text(mail, "messageId")).All(it => it.Count() == 1));
        Log.Check("nobody got the same letter twice", mails.GroupBy(mail => (Office.Text(mail, "to"), Office.Text(mail, "subject"))).All(it => it.Count() == 1));
        Log.ShowHistory(detail);
        Log.ShowMails(mails);
    }

    private static object Template(string title, string description, string amount, string terms) => new
    {
        title,
        description,
        price = new { amount, currency = "EUR" },
        paymentTerms = terms,
        providers = new[] { "stripe", "btcpay" },
        questions = Array.Empty<object>(),
    };
}
