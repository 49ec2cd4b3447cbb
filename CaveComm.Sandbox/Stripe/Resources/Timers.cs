namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>What happens to objects by itself after a time, each by the name of its timer. A timer may ring late or twice: each looks before it acts.</summary>
internal static class Timers
{
    public static void Ring(StripeUnit unit, string what, string id)
    {
        Action<StripeUnit, string> act = what switch
        {
            Payouts.Move => Payouts.MoveOn,
            RefundStates.Move => RefundStates.MoveOn,
            DisputeStates.Decide => DisputeStates.Ring,
            SubscriptionStates.Renew => SubscriptionStates.RenewAll,
            SubscriptionStates.Expire => SubscriptionStates.ExpireFirst,
            SubscriptionStates.DropUpdate => SubscriptionStates.ExpireUpdate,
            SubscriptionInvoices.Retry => SubscriptionInvoices.RetryNow,
            SubscriptionInvoices.Due => SubscriptionInvoices.Overdue,
            CheckoutStates.Expiry => CheckoutStates.Ring,
            CheckoutStates.SlowSucceeds => (unit, id) => CheckoutStates.EndSlowly(unit, id, fails: false),
            CheckoutStates.SlowFails => (unit, id) => CheckoutStates.EndSlowly(unit, id, fails: true),
            Invoices.Advance => Invoices.AdvanceDraft,
            _ => throw new InvalidOperationException($"No timer is called {what}."),
        };
        act(unit, id);
    }
}
