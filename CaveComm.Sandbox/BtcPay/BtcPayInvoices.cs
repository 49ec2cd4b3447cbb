using System.Text.Json.Nodes;
using CaveComm.Sandbox.Storage;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>The store's invoices: each change is kept with the webhooks that tell of it, and time is applied before anybody looks.</summary>
internal sealed class BtcPayInvoices(BtcPayWorld world)
{
    public Invoice Create(Func<DateTimeOffset, long, Invoice> make)
    {
        var invoice = world.Store.Transact(work =>
        {
            var number = ((long?)work.Find(BtcPayStore.Settings, "count")?["invoices"] ?? 0) + 1;
            work.Put(BtcPayStore.Settings, "count", new JsonObject { ["invoices"] = number });
            var life = new InvoiceLife(make(world.Time.GetUtcNow(), number), world.Time.GetUtcNow());
            life.Created();
            life.Advance();
            Keep(work, life);
            return life.It;
        });
        Remind(invoice);
        return invoice;
    }

    public Invoice? Find(string id) => Change(id, _ => { });

    /// <summary>Changes an invoice after time has been applied.</summary>
    /// <returns>The invoice after it; null when there is none of that id.</returns>
    public Invoice? Change(string id, Action<InvoiceLife> change)
    {
        var changed = world.Store.Transact(work =>
        {
            if (work.Read<Invoice>(BtcPayStore.Invoices, id) is not { } invoice)
            {
                return null;
            }

            var life = new InvoiceLife(invoice, world.Time.GetUtcNow());
            life.Advance();
            change(life);
            if (!ReferenceEquals(life.It, invoice) || life.Events.Count > 0)
            {
                Keep(work, life);
            }

            return life;
        });
        if (changed is null)
        {
            return null;
        }

        if (changed.Events.Count > 0)
        {
            Remind(changed.It);
        }

        return changed.It;
    }

    /// <summary>Newest first.</summary>
    /// <param name="orderIds">Empty: of any order.</param>
    public IReadOnlyList<Invoice> List(IReadOnlyCollection<string> orderIds)
    {
        var ids = world.Store.Transact<IReadOnlyList<string>>(work => orderIds.Count == 0
            ? work.Ids(BtcPayStore.Invoices)
            : [.. orderIds.SelectMany(it => Order(work, it)).Distinct()]);
        return
        [
            .. ids.Select(Find).OfType<Invoice>()
                .Where(it => orderIds.Count == 0 || (OrderId(it) is { } order && orderIds.Contains(order)))
                .OrderByDescending(it => it.Number),
        ];
    }

    public void Resume()
    {
        foreach (var invoice in world.Store.Transact<IReadOnlyList<Invoice>>(work => [.. work.ReadAll<Invoice>(BtcPayStore.Invoices)]))
        {
            Remind(invoice);
        }
    }

    public JsonObject Shape(Invoice it, bool withPaymentMethods = false) =>
        InvoiceShape.Of(it, world.Options.StoreId, world.BaseUrl, withPaymentMethods);

    /// <summary>The order's number in the metadata; other software sends it as a number too.</summary>
    public static string? OrderId(Invoice it) => it.Metadata["orderId"]?.ToString();

    private void Keep(SandboxStore.Work work, InvoiceLife life)
    {
        work.Write(BtcPayStore.Invoices, life.It.Id, life.It);
        if (OrderId(life.It) is { } order && Order(work, order) is var known && !known.Contains(life.It.Id))
        {
            work.Put(BtcPayStore.Orders, order, new JsonObject { ["invoices"] = new JsonArray([.. known.Append(life.It.Id).Select(it => JsonValue.Create(it))]) });
        }

        foreach (var happened in life.Events)
        {
            world.Hooks.Publish(
                work,
                happened.Type,
                happened.Facts,
                new JsonObject { ["invoiceId"] = life.It.Id, ["metadata"] = life.It.Metadata.DeepClone() });
        }
    }

    private static List<string> Order(SandboxStore.Work work, string orderId) =>
        work.Find(BtcPayStore.Orders, orderId)?["invoices"]!.AsArray().Select(it => (string)it!).ToList() ?? [];

    private void Remind(Invoice invoice)
    {
        if (new InvoiceLife(invoice, world.Time.GetUtcNow()).NextChange is { } at)
        {
            world.Agenda.Add(at, () => Find(invoice.Id));
        }
    }
}
