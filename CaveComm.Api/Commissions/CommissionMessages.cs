using CaveComm.Domain;

namespace CaveComm.Api.Commissions;

/// <summary>A message about one commission. Those of one commission run one at a time and in order.</summary>
public interface ICommissionMessage
{
    Guid Commission { get; }
}

/// <summary>The provider shall set an invoice up, if one is still needed.</summary>
/// <param name="Attempt">Part of the idempotency key.</param>
public sealed record SetUpInvoice(Guid Commission, int Attempt) : ICommissionMessage;

/// <summary>The provider shall mail its invoice to the customer.</summary>
public sealed record SendInvoice(Guid Commission, string InvoiceId) : ICommissionMessage;

/// <summary>The provider shall make an invoice unpayable: the work was withdrawn or cancelled.</summary>
public sealed record VoidInvoice(Guid Commission, string InvoiceId) : ICommissionMessage;

/// <summary>Ask the provider how an invoice stands. The webhook, the return page, the freelancer's button and the schedule all come in here.</summary>
/// <param name="Round">The round of the schedule, from 0; <see cref="OneOff"/> when somebody gave a hint, which plans no next round.</param>
/// <param name="ToldBy">The stream of the provider's event that gave the hint; null for every other reason.</param>
public sealed record CheckInvoice(Guid Commission, string InvoiceId, int Round, string? ToldBy = null) : ICommissionMessage
{
    public const int OneOff = -1;
}

/// <summary>Delivered and paid: the freelancer's money may be sent.</summary>
/// <param name="Round">How often no destination was found; <see cref="CheckInvoice.OneOff"/> when it is rung, beside the schedule that goes on.</param>
public sealed record PayoutDue(Guid Commission, int Round) : ICommissionMessage;

/// <summary>The provider shall send the money of a recorded payout.</summary>
/// <param name="Round">0; <see cref="CheckInvoice.OneOff"/> when somebody asks: what is on its way already is then looked at, and no second schedule begun.</param>
public sealed record SendPayout(Guid Commission, int Attempt, int Round = 0) : ICommissionMessage;

/// <summary>Ask the provider how a payout stands.</summary>
public sealed record CheckPayout(Guid Commission, int Attempt, string PayoutId, int Round) : ICommissionMessage;

/// <summary>The provider shall send the money of a recorded refund back.</summary>
/// <param name="Number">Part of the idempotency key.</param>
/// <param name="Round">See <see cref="SendPayout"/>.</param>
public sealed record SendRefund(Guid Commission, int Number, int Round = 0) : ICommissionMessage;

/// <summary>The provider shall take back the offer of a refund that nobody has claimed.</summary>
public sealed record WithdrawRefund(Guid Commission, int Number) : ICommissionMessage;

/// <summary>Ask the provider how a refund stands.</summary>
/// <param name="Round">The round of the schedule, from 0; <see cref="CheckInvoice.OneOff"/> when somebody gave a hint, which plans no next round.</param>
public sealed record CheckRefund(Guid Commission, int Number, string RefundId, int Round) : ICommissionMessage;

/// <summary>Money that was paid out is owed by the freelancer, and the provider shall try to take it back.</summary>
/// <param name="Reference">What it is owed for; part of the idempotency key.</param>
public sealed record ReversePayout(Guid Commission, string Reference, Money Amount) : ICommissionMessage;
