using CaveComm.Domain.Admin;
using CaveComm.Domain.Commissions;
using CaveComm.Domain.Customers;
using CaveComm.Domain.Freelancers;
using CaveComm.Domain.Identity;
using CaveComm.Domain.Papers;
using CaveComm.Domain.Payments;

namespace CaveComm.Api;

/// <summary>What every event is called in the store: <c>{stream kind}.{kebab-case name}</c>. A name is kept for ever, whatever becomes of the record's own name.</summary>
public static class EventAliases
{
    public static IReadOnlyList<(Type Type, string Alias)> All { get; } =
    [
        (typeof(CommissionEvent.Requested), "commission.requested"),
        (typeof(CommissionEvent.Accepted), "commission.accepted"),
        (typeof(CommissionEvent.Declined), "commission.declined"),
        (typeof(CommissionEvent.Withdrawn), "commission.withdrawn"),
        (typeof(CommissionEvent.Cancelled), "commission.cancelled"),
        (typeof(CommissionEvent.InvoiceIssued), "commission.invoice-issued"),
        (typeof(CommissionEvent.InvoiceSetUpFailed), "commission.invoice-set-up-failed"),
        (typeof(CommissionEvent.InvoiceExpired), "commission.invoice-expired"),
        (typeof(CommissionEvent.InvoiceVoided), "commission.invoice-voided"),
        (typeof(CommissionEvent.PaymentReceived), "commission.payment-received"),
        (typeof(CommissionEvent.PaymentFailed), "commission.payment-failed"),
        (typeof(CommissionEvent.ProductUploaded), "commission.product-uploaded"),
        (typeof(CommissionEvent.ReleasedUnpaid), "commission.released-unpaid"),
        (typeof(CommissionEvent.Delivered), "commission.delivered"),
        (typeof(CommissionEvent.ProductDownloaded), "commission.product-downloaded"),
        (typeof(CommissionEvent.DownloadLinkRenewed), "commission.download-link-renewed"),
        (typeof(CommissionEvent.PayoutRequested), "commission.payout-requested"),
        (typeof(CommissionEvent.PayoutFailed), "commission.payout-failed"),
        (typeof(CommissionEvent.PaidOut), "commission.paid-out"),
        (typeof(CommissionEvent.PayoutReversed), "commission.payout-reversed"),
        (typeof(CommissionEvent.PaymentSeen), "commission.payment-seen"),
        (typeof(CommissionEvent.PaymentVanished), "commission.payment-vanished"),
        (typeof(CommissionEvent.InvoiceReissued), "commission.invoice-reissued"),
        (typeof(CommissionEvent.LatePaymentHonoured), "commission.late-payment-honoured"),
        (typeof(CommissionEvent.InvoiceCredited), "commission.invoice-credited"),
        (typeof(CommissionEvent.RefundRequested), "commission.refund-requested"),
        (typeof(CommissionEvent.RefundOffered), "commission.refund-offered"),
        (typeof(CommissionEvent.RefundWithdrawn), "commission.refund-withdrawn"),
        (typeof(CommissionEvent.Refunded), "commission.refunded"),
        (typeof(CommissionEvent.RefundFailed), "commission.refund-failed"),
        (typeof(CommissionEvent.DisputeOpened), "commission.dispute-opened"),
        (typeof(CommissionEvent.DisputeClosed), "commission.dispute-closed"),
        (typeof(CommissionEvent.CustomerErased), "commission.customer-erased"),

        (typeof(CustomerEvent.Erased), "customer.erased"),

        (typeof(SlotEvent.SlotTaken), "slots.slot-taken"),
        (typeof(SlotEvent.SlotFreed), "slots.slot-freed"),

        (typeof(FreelancerEvent.FreelancerRegistered), "freelancer.freelancer-registered"),
        (typeof(FreelancerEvent.ProfileChanged), "freelancer.profile-changed"),
        (typeof(FreelancerEvent.BillingDetailsSet), "freelancer.billing-details-set"),
        (typeof(FreelancerEvent.TemplatePublished), "freelancer.template-published"),
        (typeof(FreelancerEvent.TemplateRetired), "freelancer.template-retired"),
        (typeof(FreelancerEvent.CommissionsOpened), "freelancer.commissions-opened"),
        (typeof(FreelancerEvent.CommissionsClosed), "freelancer.commissions-closed"),
        (typeof(FreelancerEvent.PayoutDestinationSet), "freelancer.payout-destination-set"),
        (typeof(FreelancerEvent.PayoutAccountOpened), "freelancer.payout-account-opened"),
        (typeof(FreelancerEvent.PayoutAccountReady), "freelancer.payout-account-ready"),
        (typeof(FreelancerEvent.PayoutAccountSuspended), "freelancer.payout-account-suspended"),

        (typeof(AccountEvent.AccountRegistered), "account.account-registered"),
        (typeof(AccountEvent.RoleGranted), "account.role-granted"),
        (typeof(AccountEvent.RoleRevoked), "account.role-revoked"),
        (typeof(AccountEvent.PasswordChanged), "account.password-changed"),
        (typeof(AccountEvent.PasswordRehashed), "account.password-rehashed"),
        (typeof(AccountEvent.SecondFactorTurnedOn), "account.second-factor-turned-on"),
        (typeof(AccountEvent.SecondFactorTurnedOff), "account.second-factor-turned-off"),
        (typeof(AccountEvent.RecoveryCodesMade), "account.recovery-codes-made"),
        (typeof(AccountEvent.RecoveryCodeUsed), "account.recovery-code-used"),
        (typeof(AccountEvent.SecondFactorCodeUsed), "account.second-factor-code-used"),
        (typeof(AccountEvent.ApiKeyMade), "account.api-key-made"),
        (typeof(AccountEvent.ApiKeyRevoked), "account.api-key-revoked"),
        (typeof(AccountEvent.SessionsEnded), "account.sessions-ended"),
        (typeof(SignInEvent.Refused), "sign-ins.refused"),
        (typeof(SignInEvent.ClientRefused), "sign-ins.client-refused"),
        (typeof(SignInEvent.Limited), "sign-ins.limited"),
        (typeof(InvitationEvent.Invited), "invitation.invited"),
        (typeof(InvitationEvent.InvitationAccepted), "invitation.invitation-accepted"),
        (typeof(InvitationEvent.InvitationWithdrawn), "invitation.invitation-withdrawn"),
        (typeof(SessionEvent.SessionStarted), "session.session-started"),
        (typeof(SessionEvent.CodeIssued), "session.code-issued"),
        (typeof(SessionEvent.CodeRedeemed), "session.code-redeemed"),
        (typeof(SessionEvent.RefreshIssued), "session.refresh-issued"),
        (typeof(SessionEvent.SessionEnded), "session.session-ended"),
        (typeof(ClientEvent.ClientRegistered), "client.client-registered"),
        (typeof(ClientEvent.ClientRemoved), "client.client-removed"),
        (typeof(SigningKeyEvent.Rotated), "signing-keys.rotated"),
        (typeof(NameEvent.HandleClaimed), "handle.handle-claimed"),
        (typeof(NameEvent.UsernameClaimed), "username.username-claimed"),

        (typeof(BalanceEvent.Owed), "balance.owed"),
        (typeof(BalanceEvent.Settled), "balance.settled"),
        (typeof(BalanceEvent.HeldBack), "balance.held-back"),
        (typeof(BalanceEvent.Released), "balance.released"),

        (typeof(NumberEvent.InvoiceNumbered), "numbers.invoice-numbered"),
        (typeof(NumberEvent.CreditNumbered), "numbers.credit-numbered"),

        (typeof(PurchaseEvent.PurchaseStarted), "purchase.purchase-started"),
        (typeof(PurchaseEvent.PaymentSucceeded), "purchase.payment-succeeded"),
        (typeof(PurchaseEvent.PaymentAttemptFailed), "purchase.payment-attempt-failed"),
        (typeof(PurchaseEvent.PurchaseFulfilled), "purchase.purchase-fulfilled"),
        (typeof(PurchaseEvent.PurchaseRefunded), "purchase.purchase-refunded"),
        (typeof(PurchaseEvent.PurchaseDisputed), "purchase.purchase-disputed"),

        (typeof(ProviderEvent.Received), "provider-event.received"),
        (typeof(ProviderEvent.Unreadable), "provider-event.unreadable"),

        (typeof(ProjectionEvent.RebuildRequested), "projection.rebuild-requested"),
        (typeof(ProjectionEvent.Paused), "projection.paused"),
        (typeof(ProjectionEvent.Resumed), "projection.resumed"),
        (typeof(ProjectionEvent.Retried), "projection.retried"),

        (typeof(InstallationEvent.Restored), "installation.restored"),
        (typeof(MessageEvent.Replayed), "message.replayed"),
        (typeof(MessageEvent.Discarded), "message.discarded"),
        (typeof(ReplayEvent.Requested), "replay.requested"),
    ];

    /// <summary>Tells a store all of them.</summary>
    internal static void MapAll(Action<Type, string> map)
    {
        foreach (var (type, alias) in All)
        {
            map(type, alias);
        }
    }
}
