using System.Text.Json.Nodes;
using CaveComm.Sandbox.Stripe.Resources;

namespace CaveComm.Sandbox.Stripe;

/// <summary>What <c>/_control</c> can make happen at once: time passes, refunds go wrong, cardholders and their banks act.</summary>
internal static class ControlActs
{
    /// <returns>False when there is no act of that name.</returns>
    /// <exception cref="FormatException">The act can't be done as asked.</exception>
    public static bool Do(StripeWorld world, string name, JsonNode? value)
    {
        switch (name)
        {
            case "advanceSeconds":
                world.Advance((long?)value is { } seconds and >= 0
                    ? TimeSpan.FromSeconds(seconds)
                    : throw new FormatException("advanceSeconds is a whole number, 0 or more."));
                return true;

            case "refunds":
                Change(world, unit => RefundOutcomes.Set(unit, (string?)value ?? RefundOutcomes.Succeed));
                return true;

            case "openDispute":
                Change(world, unit => Disputes.Open(unit, Of(unit, "charge", (string?)value)));
                return true;

            case "returnPayout":
                Return(world, (string?)value?["account"], (string?)value?["payout"] ?? "");
                return true;

            case "winDispute" or "loseDispute":
                Change(world, unit => Close(unit, (string?)value, won: name == "winDispute"));
                return true;

            default:
                return false;
        }
    }

    private static void Close(StripeUnit unit, string? id, bool won)
    {
        var dispute = Of(unit, "dispute", id);
        if (!DisputeStates.IsOpen(dispute))
        {
            throw new FormatException($"The dispute {id} is closed already.");
        }

        DisputeStates.Close(unit, dispute, won);
    }

    private static void Return(StripeWorld world, string? account, string id)
    {
        if (!world.Transact(account, null, unit => Payouts.Return(unit, id)))
        {
            throw new FormatException($"There is no payout {id} that has arrived at {account}.");
        }
    }

    private static JsonObject Of(StripeUnit unit, string kind, string? id) =>
        id is not null && unit.Find(kind, id) is { } thing ? thing : throw new FormatException($"There is no {kind} {id}.");

    private static void Change(StripeWorld world, Action<StripeUnit> change) => world.Transact(null, null, unit =>
    {
        change(unit);
        return true;
    });
}
