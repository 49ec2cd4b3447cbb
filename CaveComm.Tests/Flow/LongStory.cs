using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using CaveComm.Tests.Support;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>A commission from beginning to end, acted by people whose office may be killed at any moment.</summary>
internal sealed class LongStory(KillableOffice office, PatientClient freelancer, PatientClient customer)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly string template = $"template-{Guid.NewGuid():N}"[..40];
    private readonly string email = $"customer-{Guid.NewGuid():N}@example.com";

    // In the inbox a commission without a template stands under its description.
    private string Title => template;

    public async Task<IReadOnlyList<Tale>> UpFrontByStripe()
    {
        await Publish("upFront", "stripe", null);
        var id = await Request(email, "stripe");
        await Act(id, "accept", "requested");
        await Pay(id, "stripe");
        await Reaches(id, "inProgress");
        await Deliver(id);
        return [await PaidOut(id, "stripe", "customer.RequestReceived", "freelancer.NewRequest")];
    }

    public async Task<IReadOnlyList<Tale>> OnDeliveryByBtcPay()
    {
        await Publish("onDelivery", "btcpay", null);
        var id = await Request(email, "btcpay");
        await Act(id, "accept", "requested");
        await Upload(id);
        await Pay(id, "btcpay");
        await Receive();
        return [await PaidOut(id, "btcpay", "customer.RequestReceived", "freelancer.NewRequest", "customer.WorkBegins", "customer.Invoice")];
    }

    public async Task<IReadOnlyList<Tale>> AgreedElsewhere()
    {
        var answer = await freelancer.Post(
            $"freelancer/{freelancer.Handle}/createInvoice",
            () => JsonContent.Create(new
            {
                customer = new { name = "Grace Hopper", email },
                description = Title,
                amount = new { amount = "80.00", currency = "EUR" },
                paymentTerms = "upFront",
                provider = "stripe",
            }),
            () => Noted([]),
            HttpStatusCode.Created);
        var id = (Guid)answer["requestId"]!;
        await Pay(id, "stripe");
        await Reaches(id, "inProgress");
        await Deliver(id);
        return [await PaidOut(id, "stripe")];
    }

    public async Task<IReadOnlyList<Tale>> Declined()
    {
        await Publish("upFront", "stripe", null);
        return [await Declined(await Request(email, "stripe"), email)];
    }

    /// <summary>One place, two who want it: the second gets it when the first is declined.</summary>
    public async Task<IReadOnlyList<Tale>> LastSlot()
    {
        var other = $"other-{email}";
        await Publish("upFront", "stripe", slots: 1);
        var first = await Request(other, "stripe");
        var full = await customer.Post(RequestPath, () => RequestBody(email, "stripe"), () => Noted([first]), HttpStatusCode.Conflict);
        ((string?)full["type"]).ShouldNotBeNull().ShouldContain("slots-full");
        var declined = await Declined(first, other);
        var id = await Request(email, "stripe", first);
        await Act(id, "accept", "requested");
        await Pay(id, "stripe");
        await Reaches(id, "inProgress");
        await Deliver(id);
        return [declined, await PaidOut(id, "stripe", "customer.RequestReceived", "freelancer.NewRequest")];
    }

    private string RequestPath => $"customer/{freelancer.Handle}/template/{template}/request";

    private string Path(Guid id) => $"freelancer/{freelancer.Handle}/requests/{id}";

    private string Product => $"the finished work of {email}";

    private Task Publish(string paymentTerms, string provider, int? slots) => freelancer.Put($"freelancer/{freelancer.Handle}/templates/{template}", new
    {
        title = $"Portrait {template}",
        description = "One figure, full colour.",
        price = new { amount = "120.00", currency = "EUR" },
        paymentTerms,
        providers = new[] { provider },
        questions = new object[] { new { id = "subject", label = "Who or what?", kind = "text", required = true } },
        slots,
    });

    private static JsonContent RequestBody(string email, string provider) => JsonContent.Create(new
    {
        customer = new { name = "Ada Lovelace", email },
        answers = new Dictionary<string, object> { ["subject"] = "A raven" },
        provider,
    });

    private async Task<Guid> Request(string address, string provider, params Guid[] earlier)
    {
        var answer = await customer.Post(RequestPath, () => RequestBody(address, provider), () => Noted(earlier), HttpStatusCode.Created);
        return (Guid)answer["requestId"]!;
    }

    // Whether the office has it, though it never said so.
    private async Task<JsonNode?> Noted(Guid[] earlier)
    {
        JsonArray? inbox = null;
        await Eventually.Holds("the inbox is up to date", async () =>
        {
            try
            {
                return (inbox = await freelancer.Inbox()) is not null;
            }
            catch (Exception lost) when (PatientClient.IsLost(lost))
            {
                return false;
            }
        }, Patience);
        return inbox!.SingleOrDefault(line => (string?)line!["template"] == template && !earlier.Contains((Guid)line["requestId"]!));
    }

    private async Task<Tale> Declined(Guid id, string address)
    {
        await Act(id, "decline", "requested");
        await Reaches(id, "declined");
        return new Tale(id, freelancer.Handle, address, "declined", ["customer.Declined", "customer.RequestReceived", "freelancer.NewRequest"], null);
    }

    private Task<JsonNode> Act(Guid id, string act, string before) => freelancer.Post(
        $"{Path(id)}/{act}",
        () => JsonContent.Create(new { }),
        async () => await freelancer.Get(Path(id)) is var now && (string)now["status"]! == before ? null : now,
        HttpStatusCode.OK);

    // As people pay: by the link in the mail, and not twice.
    private async Task Pay(Guid id, string provider)
    {
        JsonNode invoice = null!;
        await Eventually.Holds($"there is a pay link for {id}", async () => (await freelancer.Get(Path(id)))["invoice"] is { } made && (invoice = made)["payUrl"] is not null, Patience);
        var link = (string)invoice["payUrl"]!;
        await Mail($"a mail with {link}", mail => ((string)mail["text"]!).Contains(link, StringComparison.Ordinal));
        var books = new ProviderBooks(office);
        await Eventually.Holds($"{link} takes the money", async () =>
        {
            try
            {
                if (await books.IsPaid(provider, (string)invoice["id"]!))
                {
                    return true;
                }

                using var payer = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
                using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["action"] = "pay" });
                using var answer = await payer.PostAsync(new Uri(link), form, TestContext.Current.CancellationToken);
                return (int)answer.StatusCode is >= 200 and < 400;
            }
            catch (Exception lost) when (PatientClient.IsLost(lost))
            {
                return false;
            }
        }, Patience);
    }

    private async Task Upload(Guid id)
    {
        await freelancer.Post(
            $"{Path(id)}/finalProduct",
            () =>
            {
                var part = new ByteArrayContent(Encoding.UTF8.GetBytes(Product));
                part.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
                return new MultipartFormDataContent { { part, "file", "work.txt" } };
            },
            async () => await freelancer.Get(Path(id)) is var now && now["files"]!.AsArray().Count > 0 ? now : null,
            HttpStatusCode.Created);
    }

    private async Task Deliver(Guid id)
    {
        await Upload(id);
        await Receive();
    }

    private async Task Receive()
    {
        var mail = await Mail("the product", it => ((string)it["subject"]!).Contains("ready for download", StringComparison.Ordinal));
        var link = ((string)mail["text"]!).Split('\n').Select(line => line.Trim()).Last(line => line.Contains("/downloads/", StringComparison.Ordinal));
        (await customer.Download(new Uri(link))).ShouldBe(Product);
    }

    private async Task<Tale> PaidOut(Guid id, string provider, params string[] letters)
    {
        await Reaches(id, "paidOut");
        return new Tale(id, freelancer.Handle, email, "paidOut", [.. letters, "freelancer.PaymentReceived", "customer.Product", "freelancer.PaidOut"], provider);
    }

    private async Task Reaches(Guid id, string status)
    {
        var seen = "";
        await Eventually.Holds($"{id} becomes {status}", async () => (seen = (string)(await freelancer.Get(Path(id)))["status"]!) == status, Patience);
        seen.ShouldBe(status);
    }

    private async Task<JsonNode> Mail(string what, Func<JsonNode, bool> fits)
    {
        JsonNode? found = null;
        var books = new ProviderBooks(office);
        await Eventually.Holds($"{email} gets {what}", async () =>
        {
            try
            {
                return (found = (await books.Mails(email)).FirstOrDefault(fits)) is not null;
            }
            catch (Exception lost) when (PatientClient.IsLost(lost))
            {
                return false;
            }
        }, Patience);
        return found!;
    }
}
