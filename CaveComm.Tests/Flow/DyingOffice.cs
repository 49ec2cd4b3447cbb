using System.Collections.Concurrent;
using System.Text.Json;
using CaveComm.Api.Commissions;
using CaveComm.Api.Payouts;
using CaveComm.Messaging;
using Microsoft.Extensions.DependencyInjection;

namespace CaveComm.Tests.Flow;

/// <summary>An office in which every message that moves money fails once, when its handler has been at the provider and nothing of it is committed.</summary>
public sealed class DyingOffice : IAsyncLifetime
{
    private static readonly Type[] Mortal =
        [typeof(SendRefund), typeof(CheckRefund), typeof(WithdrawRefund), typeof(SendPayout), typeof(ReversePayout), typeof(CheckPayoutAccount), typeof(RingWaitingPayouts)];

    private readonly ConcurrentDictionary<Guid, object> died = new();

    public DyingOffice() => Office = new Office
    {
        Extra = { ["Logging:LogLevel:CaveComm.Messaging"] = "Error" },
        BeforeStart = services =>
        {
            var catalog = services.GetRequiredService<MessageCatalog>();
            var options = services.GetRequiredService<MessagingOptions>();
            options.Probe = (step, id) => step == DeliveryStep.Handled ? Die(id, catalog, options.Json) : ValueTask.CompletedTask;
        },
    };

    public Office Office { get; }

    /// <summary>What has failed like that.</summary>
    public IReadOnlyList<object> Died => [.. died.Values.Distinct()];

    public ValueTask InitializeAsync() => Office.InitializeAsync();

    public ValueTask DisposeAsync() => Office.DisposeAsync();

    /// <summary>Everything is told again, as it is after a crash between a commit and its acknowledgement elsewhere, or by an operator who sends it again.</summary>
    public async Task TellAgain()
    {
        await using var scope = Office.Services.CreateAsyncScope();
        foreach (var message in Died)
        {
            await scope.ServiceProvider.GetRequiredService<IMessageBus>().PublishAsync(message);
        }

        await Office.Messages.WaitForIdle(TimeSpan.FromMinutes(1));
    }

    private async ValueTask Die(Guid id, MessageCatalog catalog, JsonSerializerOptions json)
    {
        if (died.ContainsKey(id) || await Office.Database.Scalar<string>($"select coalesce((select type || ' ' || body::text from cavecomm_messages where id = '{id}'), '')") is not { Length: > 0 } row)
        {
            return;
        }

        var type = catalog.For(row[..row.IndexOf(' ', StringComparison.Ordinal)]).Type;
        if (Mortal.Contains(type) && died.TryAdd(id, JsonSerializer.Deserialize(row[row.IndexOf(' ', StringComparison.Ordinal)..], type, json)!))
        {
            throw new InvalidOperationException("The node dies here.");
        }
    }
}
