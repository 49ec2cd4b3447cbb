using CaveComm.Api.Customers;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Customers;
using CaveComm.EventStore;
using CaveComm.Projections.Commissions;
using CaveComm.Tests.Support;
using Shouldly;
using static CaveComm.Tests.Support.GivenCommission;
using static CaveComm.Tests.Support.Some;

namespace CaveComm.Tests.Customers;

/// <summary>What it means to forget a customer, as rules.</summary>
public class ForgettingTests
{
    [Fact]
    public void A_customer_is_erased_once()
    {
        var erased = KnownCustomer.Initial.Erase("asked for").Events.ShouldHaveSingleItem();
        erased.ShouldBe(new CustomerEvent.Erased("asked for"));
        KnownCustomer.Evolve(KnownCustomer.Initial, erased).Erase("again").Events.ShouldBeEmpty();
    }

    [Fact]
    public void A_commission_forgets_its_customer_at_every_stage_and_once()
    {
        CommissionEvent[] life = [Requested, Accepted, Invoiced, Paid, Uploaded, Delivered, PayoutRequested, PaidOut];
        for (var stage = 1; stage <= life.Length; stage++)
        {
            Given(life[..stage]).When(new CommissionCommand.ForgetCustomer()).Then(CustomerErased);
            Given([.. life[..stage], CustomerErased]).When(new CommissionCommand.ForgetCustomer()).ThenNothing();
        }

        Given().When(new CommissionCommand.ForgetCustomer()).ThenRefused("no-such-commission");
    }

    [Fact]
    public void Forgetting_changes_nothing_about_the_work()
    {
        var before = State(Requested, Accepted, Invoiced);
        Commission.Evolve(before, CustomerErased).ShouldBe(before with { IsCustomerErased = true });
    }

    [Fact]
    public void No_view_shows_a_customer_any_more_who_was_erased()
    {
        var line = new InboxProjection().Fold("commission:01953f2a-0000-7000-8000-000000000001", [Requested, CustomerErased]).Last()!;
        var detail = new CommissionDetailProjection().Fold("commission:01953f2a-0000-7000-8000-000000000001", [Requested, CustomerErased]).Last()!;

        line.CustomerName.ShouldBe(Customer.Erased);
        line.Version.ShouldBe(2);
        detail.Customer.ShouldBe(new Customer(Buyer.Id, Customer.Erased, Customer.Erased));
        detail.Customer.WasErased().ShouldBeTrue();
        detail.Answers.Keys.ShouldBe(Requested.Answers.Keys);
        detail.Answers.Values.ShouldAllBe(it => it == Customer.Erased);
    }

    [Fact]
    public void Domain_and_store_say_erased_in_the_same_words() => Customer.Erased.ShouldBe(IPersonalData.Erased);

    [Fact]
    public void Messages_name_things_and_nobody()
    {
        // Whoever adds a text to a message looks here first: messages wait, die and are kept, and no key can erase them.
        string[] harmless =
        [
            "CheckInvoice.InvoiceId", "SendInvoice.InvoiceId", "VoidInvoice.InvoiceId", "CheckPayout.PayoutId", "CheckRefund.RefundId", "ReversePayout.Reference", "ReversePayout.Amount", "PaymentAttemptFailed.PaymentId",
            "ProviderEventStored.Provider", "ProviderEventStored.EventId", "ProviderEventStored.Type", "ProviderEventStored.InvoiceId",
            "CheckInvoice.ToldBy", "PaymentAttemptFailed.ToldBy",
            "ProviderEventStored.PaymentIntentId", "ProviderEventStored.PayoutId", "ProviderEventStored.PullPaymentId", "ProviderEventStored.PayoutAccount", "CheckPayoutAccount.Provider", "CheckPayoutAccount.Account", "RingWaitingPayouts.Freelancer", "RingWaitingPayouts.Provider", "Alarm.Reason", "SpreadErasure.Reason", "SpreadErasure.Actor",
            "RecurringDue.Series", "RecurringDue.Occurrence", "TendRecurring.Series", "ReconcileFrom.After", "ReconcileFrom.Series", "ReadStripeEvents.Series",
        ];
        var messages = Handled.Messages;

        messages.ShouldContain(typeof(SpreadErasure));
        messages.SelectMany(message => message.GetProperties().Where(it => !IsPlain(it.PropertyType)).Select(it => $"{message.Name}.{it.Name}"))
            .ShouldBe(harmless, ignoreOrder: true);

        static bool IsPlain(Type type) => (Nullable.GetUnderlyingType(type) ?? type) is var plain && (plain == typeof(Guid) || plain == typeof(int) || plain.IsEnum);
    }
}
