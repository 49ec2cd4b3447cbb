using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>The calls about invoices; what happens to one is in <see cref="InvoiceStates"/>.</summary>
internal static class Invoices
{
    /// <summary>The timer of a draft that finalizes itself.</summary>
    public const string Advance = "invoice.advance";

    private const string Kind = "invoice";
    private const int LinesShown = 10;

    private const string Settings =
        "auto_advance collection_method days_until_due due_date description footer metadata* statement_descriptor default_payment_method "
        + "payment_settings{default_mandate payment_method_options* payment_method_types[]}";

    public static void Map(StripeRoutes routes)
    {
        routes.Post("/v1/invoices", Settings + " customer currency number pending_invoice_items_behavior", Create);
        routes.Post("/v1/invoices/{id}", Settings + " number", Update);
        routes.Get("/v1/invoices/{id}", "", call => call.Render(Get(call)));
        routes.Delete("/v1/invoices/{id}", Delete);
        routes.Post("/v1/invoices/{id}/finalize", "auto_advance", call => Act(call, InvoiceStates.Finalize));
        routes.Post("/v1/invoices/{id}/send", "", call => Act(call, InvoiceStates.Send));
        routes.Post("/v1/invoices/{id}/void", "", call => Act(call, InvoiceStates.Void));
        routes.Post("/v1/invoices/{id}/mark_uncollectible", "", call => Act(call, InvoiceStates.MarkUncollectible));
        routes.Post("/v1/invoices/{id}/pay", "forgive off_session paid_out_of_band payment_method", Pay);
        routes.List("/v1/invoices/{id}/lines", "", ListLines);
        routes.List("/v1/invoices", "created{gt gte lt lte} due_date{gt gte lt lte} customer status subscription collection_method", List);
    }

    public static JsonArray Lines(JsonObject invoice) => invoice["lines"]!["data"]!.AsArray();

    public static string? Subscription(JsonObject invoice) =>
        (string?)invoice["parent"]?["subscription_details"]?["subscription"];

    public static void AddUp(JsonObject invoice)
    {
        var total = Lines(invoice).Sum(line => (long)line!["amount"]!);
        foreach (var field in new[] { "subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax" })
        {
            invoice[field] = total;
        }

        invoice["amount_due"] = Math.Max(0, total);
        invoice["amount_remaining"] = Math.Max(0, total - (long)invoice["amount_paid"]!);
    }

    /// <summary>What is not stored but shown: the address of the pay page, and of many lines the first.</summary>
    public static void Dress(StripeWorld world, JsonObject shown)
    {
        var payable = shown["_pay_secret"] is not null;
        shown["hosted_invoice_url"] = payable ? PayUrl(world, shown).AbsoluteUri : null;
        shown["invoice_pdf"] = payable ? PayUrl(world, shown).AbsoluteUri + "/pdf" : null;
        var lines = Lines(shown);
        shown["lines"]!["has_more"] = lines.Count > LinesShown;
        while (lines.Count > LinesShown)
        {
            lines.RemoveAt(lines.Count - 1);
        }
    }

    public static Uri PayUrl(StripeWorld world, JsonObject invoice) =>
        new(world.BaseUrl, $"/pay/{invoice["id"]}-{invoice["_pay_secret"]}");

    /// <summary>An hour after its making a draft with <c>auto_advance</c> goes its way.</summary>
    public static void AdvanceDraft(StripeUnit unit, string id)
    {
        if (unit.Find(Kind, id) is not { } invoice || (string?)invoice["status"] != "draft" || (bool?)invoice["auto_advance"] != true)
        {
            return;
        }

        InvoiceStates.Finalize(unit, invoice);
        if ((string?)invoice["collection_method"] == "send_invoice" && (string?)invoice["status"] == "open")
        {
            InvoiceStates.Send(unit, invoice);
        }

        if (Subscription(invoice) is not null)
        {
            SubscriptionInvoices.Collect(unit, unit.Find(Kind, id)!);
        }
    }

    private static JsonObject Get(StripeCall call) => call.Unit.Get(Kind, call.Id, Kind);

    private static JsonObject Act(StripeCall call, Action<StripeUnit, JsonObject> act)
    {
        var invoice = Get(call);
        if (call.Parameters.Flag("auto_advance") is { } advance)
        {
            invoice["auto_advance"] = advance;
        }

        act(call.Unit, invoice);
        return call.Render(call.Unit.Find(Kind, call.Id)!);
    }

    private static JsonObject Create(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var customer = Customers.Refer(unit, given.Required("customer"));
        var currency = Currency.Read(given, "currency") ?? (string?)customer["currency"] ?? "eur";
        var pending = given.Choice("pending_invoice_items_behavior", "exclude", "include");
        var invoice = InvoiceDraft.Make(unit, customer, currency, "manual");
        invoice["number"] = given.Text("number");
        Fill(given, invoice);
        if ((string?)invoice["collection_method"] == "send_invoice" && customer["email"] is null)
        {
            throw StripeFault.State(null, "An invoice can only be sent to a customer who has an email address.", "customer");
        }

        invoice["metadata"] = given.Metadata();
        unit.Put(invoice);
        if (pending == "include")
        {
            foreach (var item in InvoiceItems.Pending(unit, (string)customer["id"]!, currency))
            {
                InvoiceItems.Bind(unit, item, invoice);
            }
        }

        if (customer["currency"] is null)
        {
            customer["currency"] = currency;
            unit.Put(customer);
        }

        if ((bool)invoice["auto_advance"]!)
        {
            var after = unit.World.Options.AutoAdvanceAfter;
            invoice["automatically_finalizes_at"] = unit.Now + (long)after.TotalSeconds;
            unit.Put(invoice);
            unit.World.SetTimer(unit.Work, (string)invoice["id"]!, unit.Account, Advance, after);
        }

        unit.Tell("invoice.created", invoice);
        return call.Render(invoice);
    }

    private static void Fill(StripeParameters given, JsonObject invoice)
    {
        if (given.Choice("collection_method", "charge_automatically", "send_invoice") is { } method)
        {
            invoice["collection_method"] = method;
        }

        var sends = (string?)invoice["collection_method"] == "send_invoice";
        var (days, due) = (given.Integer("days_until_due"), given.Integer("due_date"));
        if (days is not null && due is not null)
        {
            throw StripeFault.Early("parameters_exclusive", "You may only give one of these parameters: days_until_due, due_date.", "due_date");
        }

        if (!sends && (days ?? due) is not null)
        {
            throw StripeFault.Parameter(
                days is null ? "due_date" : "days_until_due", "This is only for invoices with the collection method send_invoice.");
        }

        if (days is < 0)
        {
            throw StripeFault.Parameter("days_until_due", "This value must be 0 or more.");
        }

        if (due is not null && due <= (long)invoice["created"]!)
        {
            throw StripeFault.Parameter("due_date", "The due date must be in the future.");
        }

        if (sends && days is null && due is null && invoice["due_date"] is null)
        {
            throw StripeFault.Parameter("days_until_due", "With the collection method send_invoice, give days_until_due or due_date.");
        }

        if ((days ?? due) is not null)
        {
            invoice["due_date"] = due ?? (long)invoice["created"]! + (days!.Value * 86400);
            invoice["_days_until_due"] = days;
        }

        if (given.Flag("auto_advance") is { } advance)
        {
            invoice["auto_advance"] = advance;
        }

        given.Copy(invoice, "description", "footer", "statement_descriptor", "default_payment_method");

        if (given.Below("payment_settings").Texts("payment_method_types") is { Count: > 0 } types)
        {
            invoice["payment_settings"]!["payment_method_types"] = new JsonArray([.. types.Select(type => JsonValue.Create(type))]);
        }
    }

    private static JsonObject Update(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var invoice = Get(call);
        var before = unit.Render(invoice);
        var isDraft = (string?)invoice["status"] == "draft";
        var fixedField = given.Entries.Select(it => it.Path[0]).FirstOrDefault(name => name is not ("metadata" or "auto_advance" or "expand"));
        if (!isDraft && fixedField is not null)
        {
            throw StripeFault.State("invoice_not_editable", $"Finalized invoices can't be updated in this way: {fixedField}.", fixedField);
        }

        if (isDraft)
        {
            Fill(given, invoice);
            invoice["number"] = given.Text("number") ?? (string?)invoice["number"];
        }

        invoice["metadata"] = given.Metadata(invoice["metadata"]!.AsObject());
        unit.Put(invoice);
        var after = unit.Render(invoice);
        var previous = new JsonObject();
        foreach (var (field, value) in before.Where(it => !JsonNode.DeepEquals(it.Value, after[it.Key])))
        {
            previous[field] = value?.DeepClone();
        }

        if (previous.Count > 0)
        {
            unit.Tell("invoice.updated", invoice, previous);
        }

        return after;
    }

    private static JsonObject Delete(StripeCall call)
    {
        var invoice = Get(call);
        if ((string?)invoice["status"] != "draft")
        {
            throw StripeFault.State("invoice_not_editable", "Only drafts can be deleted. Void this invoice instead.");
        }

        foreach (var item in InvoiceItems.Of(call.Unit, call.Id))
        {
            call.Unit.Remove(item);
        }

        call.Unit.Remove(invoice);
        call.Unit.Tell("invoice.deleted", invoice);
        return new JsonObject { ["id"] = call.Id, ["object"] = Kind, ["deleted"] = true };
    }

    private static JsonObject Pay(StripeCall call)
    {
        var (unit, given) = (call.Unit, call.Parameters);
        var invoice = Get(call);
        if ((string?)invoice["status"] == "draft")
        {
            InvoiceStates.Finalize(unit, invoice);
        }

        InvoiceStates.RequirePayable(invoice);
        if (given.Flag("paid_out_of_band") is true)
        {
            InvoiceStates.PaidOutOfBand(unit, invoice);
        }
        else
        {
            InvoiceStates.Charge(unit, invoice, given.Text("payment_method"), given.Flag("off_session") ?? true);
        }

        return call.Render(unit.Find(Kind, call.Id)!);
    }

    private static JsonObject ListLines(StripeCall call)
    {
        var lines = Lines(Get(call)).ToDictionary(line => (string)line!["id"]!, line => line!.AsObject());
        return Lists.Page(call, $"/v1/invoices/{call.Id}/lines", [.. lines.Keys], id => lines[id]);
    }

    private static JsonObject List(StripeCall call)
    {
        var given = call.Parameters;
        given.Choice("status", "draft", "open", "paid", "uncollectible", "void");
        var (customer, status, method, due) = (
            Lists.Equal(given, "customer"),
            Lists.Equal(given, "status"),
            Lists.Equal(given, "collection_method"),
            Lists.Within(given, "due_date"));
        var subscription = given.Text("subscription");
        return Lists.Answer(call, "/v1/invoices", Kind, it =>
            customer(it) && status(it) && method(it) && due(it) && (subscription is null || Subscription(it) == subscription));
    }
}
