using CaveComm.Sandbox.Stripe.Wire;

namespace CaveComm.Sandbox.Stripe.Resources;

/// <summary>All that the API knows; one file per resource.</summary>
internal static class Resource
{
    public static StripeRoutes All()
    {
        var routes = new StripeRoutes();
        Accounts.Map(routes);
        AccountLinks.Map(routes);
        Balances.Map(routes);
        BillingPortal.Map(routes);
        Charges.Map(routes);
        CheckoutSessions.Map(routes);
        CreditNotes.Map(routes);
        Customers.Map(routes);
        Disputes.Map(routes);
        Events.Map(routes);
        InvoiceItems.Map(routes);
        InvoicePayments.Map(routes);
        Invoices.Map(routes);
        PaymentIntents.Map(routes);
        PaymentMethods.Map(routes);
        Payouts.Map(routes);
        Prices.Map(routes);
        Products.Map(routes);
        Refunds.Map(routes);
        SetupIntents.Map(routes);
        SubscriptionItems.Map(routes);
        Subscriptions.Map(routes);
        TransferReversals.Map(routes);
        Transfers.Map(routes);
        WebhookEndpoints.Map(routes);
        return routes;
    }
}
