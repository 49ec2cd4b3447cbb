using CaveComm.Domain;
using CaveComm.Domain.Admin;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Customers;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Identity;
using CaveComm.Domain.Papers;
using CaveComm.Domain.Payments;

namespace CaveComm.Tests.Support;

/// <summary>One plain example of everything. A test names only what it is about.</summary>
internal static class Some
{
    public const string Shop = "ada";
    public const string PayUrl = "https://pay.example/invoice";
    public const string StripeAccount = "acct_1Nv0FGQ9RKHgCVdK";

    public static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    public static readonly Guid CommissionId = Guid.Parse("01953f2a-0000-7000-8000-000000000001");
    public static readonly Money Price = Euro(120_00);

    public static readonly Customer Buyer = new(Guid.Parse("01953f2a-0000-7000-8000-0000000000c1"), "Grace Hopper", "grace@example.com");

    public static readonly Question Subject = new("subject", "What shall I draw?", QuestionKind.Text, Required: true);

    public static readonly Template Portrait = new(
        "portrait", 1, "A portrait", "Ink on paper.", Price, PaymentTerms.UpFront, [PaymentProviders.Stripe, PaymentProviders.BtcPay], [Subject], "No resale.", Slots: 3, DueDays: 14);

    public static readonly TemplateSnapshot UpFrontWork = Portrait.Snapshot();
    public static readonly TemplateSnapshot OnDeliveryWork = UpFrontWork with { PaymentTerms = PaymentTerms.OnDelivery };
    public static readonly TemplateSnapshot AgreedWork = new(null, 0, "A mural", Price, PaymentTerms.UpFront, [], null, null, 14);

    public static readonly IReadOnlyList<ProductFile> Files =
        [new(Guid.Parse("01953f2a-0000-7000-8000-0000000000f1"), "portrait.png", 1_234_567, new string('a', 64), "image/png")];

    // What happened, for commissions.
    public static readonly CommissionEvent.Requested Requested =
        new(Shop, Buyer, UpFrontWork, PaymentProviders.Stripe, new Dictionary<string, string> { ["subject"] = "A cat" }, AcceptedTerms: true);

    public static readonly CommissionEvent.Requested RequestedOnDelivery = Requested with { Template = OnDeliveryWork, Provider = PaymentProviders.BtcPay };

    public static readonly CommissionEvent.Accepted Accepted = new();
    public static readonly CommissionEvent.Declined Declined = new("No time before May.");
    public static readonly CommissionEvent.Withdrawn Withdrawn = new();
    public static readonly CommissionEvent.Cancelled Cancelled = new("I broke my hand.");
    public static readonly CommissionEvent.InvoiceIssued Invoiced = new(1, PaymentProviders.Stripe, "in_1", "CAVE-0001", Price, PayUrl, Noon.AddDays(14), Shop);
    public static readonly CommissionEvent.InvoiceIssued InvoicedInBitcoin = new(1, PaymentProviders.BtcPay, "in_1", null, Price, PayUrl, Noon.AddMinutes(15), Shop);
    public static readonly CommissionEvent.InvoiceSetUpFailed InvoiceRefused = new(1, PaymentProviders.Stripe, "The amount is below the minimum.");
    public static readonly CommissionEvent.InvoiceExpired InvoiceExpired = new("in_1", Price, Shop);
    public static readonly CommissionEvent.InvoiceVoided InvoiceVoided = new("in_1", Price, Shop);
    public static readonly CommissionEvent.PaymentReceived Paid = new("in_1", "pi_1", Price, Price, Noon, Late: false, "ch_1", Shop);
    public static readonly CommissionEvent.PaymentReceived HalfPaid = Paid with { Amount = Euro(60_00), Received = Euro(60_00) };
    public static readonly CommissionEvent.PaymentReceived PaidInBitcoin = new("in_1", "pi_1", Price, Satoshi(200_000), Noon, Late: false, null, Shop);
    public static readonly CommissionEvent.PaymentSeen PaymentSeen = new("in_1");
    public static readonly CommissionEvent.PaymentVanished PaymentVanished = new("in_1");
    public static readonly CommissionEvent.PaymentFailed PaymentFailed = new("pi_0");
    public static readonly CommissionEvent.ProductUploaded Uploaded = new(1, Files);
    public static readonly CommissionEvent.ReleasedUnpaid Released = new();
    public static readonly CommissionEvent.Delivered Delivered = new(1);
    public static readonly CommissionEvent.ProductDownloaded Downloaded = new(1, Files[0].FileId);
    public static readonly CommissionEvent.DownloadLinkRenewed LinkRenewed = new(2);
    public static readonly CommissionEvent.PayoutRequested PayoutRequested = new(1, PaymentProviders.Stripe, StripeAccount, Euro(114_00), Euro(6_00), "ch_1");
    public static readonly CommissionEvent.PayoutRequested PayoutByHand = new(1, PaymentProviders.Manual, "", Price, Euro(0), "ch_1");
    public static readonly CommissionEvent.PayoutFailed PayoutFailed = new(1, "The account is closed.");
    public static readonly CommissionEvent.PaidOut PaidOut = new("tr_1", Euro(114_00), Euro(6_00), Shop);
    public static readonly CommissionEvent.CustomerErased CustomerErased = new();
    public static readonly CommissionEvent.PayoutReversed PayoutReversed = new("tr_1", "trr_1", Euro(114_00), Shop);
    public static readonly CommissionEvent.InvoiceReissued InvoiceReissued = new(2);
    public static readonly CommissionEvent.PaymentReceived PaidLate = Paid with { Late = true };
    public static readonly CommissionEvent.LatePaymentHonoured Honoured = new(["pi_1"], Euro(0), Shop);
    public static readonly CommissionEvent.InvoiceCredited Credited = new("cn_1", "in_1", Euro(60_00), Shop);
    public static readonly CommissionEvent.RefundRequested RefundRequested = new(1, PaymentProviders.Stripe, "pi_1", Euro(20_00), "The colours were wrong.");
    public static readonly CommissionEvent.RefundOffered RefundOffered = new(1, "pp_1", "https://pay.example/pull/pp_1");
    public static readonly CommissionEvent.RefundWithdrawn RefundWithdrawn = new(1);
    public static readonly CommissionEvent.Refunded Refunded = new(1, "re_1", "pi_1", Euro(20_00), Euro(20_00), Shop);
    public static readonly CommissionEvent.RefundFailed RefundFailed = new(1, "re_1", "pi_1", Euro(20_00), Euro(20_00), "The card is closed.", Shop);
    public static readonly CommissionEvent.DisputeOpened DisputeOpened = new("dp_1", "pi_1", Price, "product_not_received", Noon.AddDays(7), Shop);
    public static readonly CommissionEvent.DisputeClosed DisputeWon = new("dp_1", Won: true, Price, Shop);
    public static readonly CommissionEvent.DisputeClosed DisputeLost = DisputeWon with { Won = false };

    // What happened, for freelancers.
    public static readonly FreelancerEvent.FreelancerRegistered Registered = new(Shop, "Ada Lovelace", "ada@example.com");
    public static readonly FreelancerEvent.TemplatePublished Published = new(Portrait);
    public static readonly FreelancerEvent.TemplateRetired Retired = new("portrait");
    public static readonly FreelancerEvent.CommissionsOpened Opened = new();
    public static readonly FreelancerEvent.CommissionsClosed Closed = new();
    public static readonly FreelancerEvent.ProfileChanged ProfileChanged = new("Ada L.", "ada@lovelace.example", "I draw engines.");
    public static readonly BillingDetails Billing = new("Ada Lovelace, Engines", ["12 Saint James Square", "London SW1Y 4JH"], "GB123456789", 2_000, null);
    public static readonly FreelancerEvent.BillingDetailsSet BillingSet = new(Billing);
    public static readonly FreelancerEvent.PayoutDestinationSet DestinationSet = new(PaymentProviders.Stripe, StripeAccount, ByHand: false);

    public static readonly FreelancerEvent.PayoutAccountOpened AccountOpened = new(PaymentProviders.Stripe, StripeAccount);
    public static readonly FreelancerEvent.PayoutAccountReady AccountReady = new(PaymentProviders.Stripe, StripeAccount);
    public static readonly FreelancerEvent.PayoutAccountSuspended AccountSuspended = new(PaymentProviders.Stripe, StripeAccount, "requirements.past_due");

    // What happened, for sessions.
    public static readonly SessionEvent.SessionStarted SessionStarted = new(
        CommissionId, SessionKind.Client, "app", "commissions:read openid", "cavecomm", "Firefox on Windows", new string('0', 16), 0, Noon, Noon.AddDays(90));

    // What is asked.
    public static readonly CommissionCommand.Request Request = new(Shop, Buyer, UpFrontWork, PaymentProviders.Stripe, Requested.Answers, AcceptedTerms: true);
    public static readonly CommissionCommand.RecordInvoice RecordInvoice = new(1, "in_1", "CAVE-0001", PayUrl, Noon.AddDays(14));
    public static readonly CommissionCommand.RecordPayment RecordPayment = new("in_1", "pi_1", Price, Price, Noon, Late: false, "ch_1");

    /// <summary>One example of every event there is. A test sees to it that none is missing.</summary>
    public static IReadOnlyList<object> EveryEvent { get; } =
    [
        Requested, Accepted, Declined, Withdrawn, Cancelled, Invoiced, InvoiceRefused, InvoiceExpired, InvoiceVoided, Paid, PaymentFailed,
        Uploaded, Released, Delivered, Downloaded, LinkRenewed, PayoutRequested, PayoutFailed, PaidOut, CustomerErased,
        PayoutReversed, PaymentSeen, PaymentVanished, InvoiceReissued, Honoured, Credited, RefundRequested, RefundOffered, RefundWithdrawn, Refunded, RefundFailed, DisputeOpened, DisputeLost,
        new BalanceEvent.Owed(CommissionId, "refund:re_1", Euro(20_00)), new BalanceEvent.Settled(CommissionId, "refund-failed:re_1", Euro(20_00)),
        new BalanceEvent.HeldBack(CommissionId, 1, Euro(20_00)), new BalanceEvent.Released(CommissionId, 1, Euro(20_00)),
        new PurchaseEvent.PurchaseStarted($"commission:{CommissionId}", 1, PaymentProviders.Stripe, "in_1", Price, Shop),
        new PurchaseEvent.PaymentSucceeded("in_1", "pi_1", Price, Noon, Late: false, Shop, "stripe-event:evt_1"),
        new PurchaseEvent.PaymentAttemptFailed("pi_0", "stripe-event:evt_0"), new PurchaseEvent.PurchaseFulfilled(1, Shop),
        new PurchaseEvent.PurchaseRefunded("re_1", Euro(20_00), null), new PurchaseEvent.PurchaseDisputed("dp_1", Price, null, "stripe-event:evt_2"),
        new CustomerEvent.Erased("asked for"),
        new SlotEvent.SlotTaken(CommissionId), new SlotEvent.SlotFreed(CommissionId),
        Registered, Published, Retired, Opened, Closed, ProfileChanged, DestinationSet, BillingSet, AccountOpened, AccountReady, AccountSuspended,
        new NumberEvent.InvoiceNumbered(CommissionId, "in_1", Billing), new NumberEvent.CreditNumbered(CommissionId, "re_1", Euro(20_00)),
        new AccountEvent.AccountRegistered(Shop, Shop), new AccountEvent.RoleGranted("freelancer", "registration"), new AccountEvent.RoleRevoked("freelancer", "asked for"),
        new AccountEvent.PasswordChanged("by the owner"), new AccountEvent.PasswordRehashed(), new AccountEvent.SecondFactorTurnedOn("by the owner"), new AccountEvent.SecondFactorTurnedOff("by the owner"),
        new AccountEvent.RecoveryCodesMade(10), new AccountEvent.RecoveryCodeUsed(), new AccountEvent.SecondFactorCodeUsed(59_496_120), new AccountEvent.ApiKeyMade(1, "Shop window", "commissions:read", new string('a', 64)),
        new AccountEvent.ApiKeyRevoked(1), new AccountEvent.SessionsEnded("by the owner"),
        new SignInEvent.Refused("wrong password", CommissionId, "0123456789abcdef"), new SignInEvent.ClientRefused("wrong secret", "web", "0123456789abcdef"),
        new SignInEvent.Limited("address", null, "0123456789abcdef"),
        new InvitationEvent.Invited(Noon), new InvitationEvent.InvitationAccepted(CommissionId), new InvitationEvent.InvitationWithdrawn(),
        SessionStarted, new SessionEvent.CodeIssued(new string('a', 64), "https://app.example/callback", new string('c', 43), "n-1", Noon.AddSeconds(60)),
        new SessionEvent.CodeRedeemed(), new SessionEvent.RefreshIssued(new string('b', 64)), new SessionEvent.SessionEnded("signed out"),
        new ClientEvent.ClientRegistered(new("An app", ["https://app.example/callback"], ["authorization_code", "refresh_token"], true, false, "commissions:read openid", []), null),
        new ClientEvent.ClientRemoved("not used any more"), new SigningKeyEvent.Rotated("k1", Noon.AddHours(1), false, "It is time."),
        new NameEvent.HandleClaimed(CommissionId), new NameEvent.UsernameClaimed(CommissionId),
        new ProviderEvent.Received(PaymentProviders.Stripe, "evt_1", "invoice.paid", Noon, """{"id":"evt_1"}"""),
        new ProviderEvent.Unreadable(PaymentProviders.BtcPay, new string('b', 64), "It is no JSON.", "<nonsense>"),
        new ProjectionEvent.RebuildRequested(CommissionId, "The view looks wrong."), new ProjectionEvent.Paused(CommissionId, null),
        new ProjectionEvent.Resumed(null, null), new ProjectionEvent.Retried(CommissionId, "Mended.", "commission:1"),
        new InstallationEvent.Restored(Noon, 4711),
        new MessageEvent.Replayed("send-payout", CommissionId, "The bank is back."), new MessageEvent.Discarded("alarm", null, "Paid back by hand."),
        new ReplayEvent.Requested("mail-customer", "mail", Noon, "greylisted", 20, CommissionId, "The mail server is back."),
    ];

    public static Money Euro(long cents) => new(cents, "EUR");

    public static Money Satoshi(long satoshi) => new(satoshi, "BTC");
}
