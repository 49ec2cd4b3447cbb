using CaveComm.Domain.Commissions;
using static CaveComm.Domain.Commissions.CommissionEvent;

namespace CaveComm.Projections.Commissions;

/// <summary>One line of a freelancer's inbox.</summary>
/// <param name="Id">The stream's key; newer commissions have greater keys.</param>
/// <param name="State">The folded commission, so that the status is derived here as everywhere.</param>
public sealed record InboxItem(
    string Id, string Freelancer, string Template, Guid CustomerId, string CustomerName, Commission State, string Status, DateTimeOffset RequestedAt, DateTimeOffset UpdatedAt, long Version);

public sealed class InboxProjection : SingleStreamProjection<InboxItem, string>
{
    /// <remarks>2: the state has each payment, and refunds and disputes. 3: payments that were seen, refused payouts, withdrawn refunds.</remarks>
    public InboxProjection()
    {
        Version = 3;
        IncludeType<CommissionEvent>();
    }

    public override InboxItem? Evolve(InboxItem? snapshot, string id, IEvent e) => (snapshot, e.Data) switch
    {
        (null, Requested x) => Line(id, x, e),
        (not null, CustomerErased x) => (snapshot with { CustomerName = Customer.Erased }).With(Commission.Evolve(snapshot.State, x), e),
        (not null, CommissionEvent x) => snapshot.With(Commission.Evolve(snapshot.State, x), e),
        _ => snapshot,
    };

    private static InboxItem Line(string id, Requested asked, IEvent e) =>
        new InboxItem(id, asked.Freelancer, asked.Template.Name ?? asked.Template.Title, asked.Customer.Id, asked.Customer.Name, Commission.Initial, "", e.Timestamp, e.Timestamp, e.Version)
            .With(Commission.Evolve(Commission.Initial, asked), e);
}

/// <summary>The inbox page's questions.</summary>
public static class InboxQueries
{
    /// <summary>A freelancer's commissions, newest first.</summary>
    /// <param name="status">Only this status; null for all.</param>
    /// <param name="after">The id of the last line of the page before; null for the first page.</param>
    public static Task<IReadOnlyList<InboxItem>> Inbox(this IQuerySession session, string freelancer, CommissionStatus? status, string? after, int limit, CancellationToken cancel) =>
        session.QueryAsync<InboxItem>(
            "where freelancer = ? and (? = '' or status = ?) and (? = '' or id < ?) order by id desc limit ?",
            cancel,
            freelancer,
            StatusText.Of(status),
            StatusText.Of(status),
            after ?? "",
            after ?? "",
            limit);

    /// <summary>All commissions of one customer, newest first.</summary>
    public static Task<IReadOnlyList<InboxItem>> CommissionsOf(this IQuerySession session, Guid customer, CancellationToken cancel) =>
        session.QueryAsync<InboxItem>("where customer_id = ? order by id desc", cancel, customer);

    internal static InboxItem With(this InboxItem line, Commission state, IEvent e) =>
        line with { State = state, Status = StatusText.Of(state.Status), UpdatedAt = e.Timestamp, Version = e.Version };
}

/// <summary>Statuses as JSON and URLs spell them.</summary>
public static class StatusText
{
    public static string Of(CommissionStatus? status) => status is { } s ? char.ToLowerInvariant(s.ToString()[0]) + s.ToString()[1..] : "";

    public static CommissionStatus? Parse(string? text) =>
        Enum.GetValues<CommissionStatus>().Where(s => s != CommissionStatus.None && Of(s) == text).Select(s => (CommissionStatus?)s).FirstOrDefault();
}
