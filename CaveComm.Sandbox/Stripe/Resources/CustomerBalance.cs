using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>A credit (below zero) that a customer has with us: an invoice below zero adds to it, the next ones use it up.</summary>
internal static class CustomerBalance
{
    /// <summary>Settles an invoice against it at its finalization.</summary>
    public static void Apply(StripeUnit unit, JsonObject invoice)
    {
        if (unit.Find("customer", (string)invoice["customer"]!) is not { } customer || customer["deleted"] is not null)
        {
            return;
        }

        var (total, balance) = ((long)invoice["total"]!, (long)customer["balance"]!);
        var moved = total < 0 ? total : Math.Min(total, Math.Max(0, -balance));
        invoice["starting_balance"] = balance;
        invoice["ending_balance"] = balance + moved;
        if (moved == 0)
        {
            return;
        }

        invoice["amount_due"] = total < 0 ? 0L : total - moved;
        invoice["amount_remaining"] = (long)invoice["amount_due"]!;
        var previous = StripeUnit.Change(customer, ("balance", balance + moved));
        unit.Put(customer);
        unit.Tell("customer.updated", customer, previous);
    }
}
