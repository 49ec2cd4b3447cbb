using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace CaveComm.Messaging;

/// <summary>Takes one message from hand to its end: handled, to be tried again, or a dead letter.</summary>
internal sealed class MessageRunner(MessagingNode node, MessagingOptions options, TimeProvider clock, ILogger log)
{
    private const int MostOfAReason = 2_000;

    /// <summary>A message that was taken so often without any outcome probably takes the process down with it.</summary>
    private const int MostLosses = 20;

    public async Task Run(Delivery delivery, QueueRunner queue)
    {
        if (delivery.IsLost || node.IsKilled)
        {
            node.Forget(delivery);
            return;
        }

        try
        {
            if (queue.IsBroken)
            {
                await Postpone(delivery, queue.BreakLeft, []);
                return;
            }

            if (delivery.Claims - delivery.Attempts > MostLosses)
            {
                await Bury(delivery, $"Taken {delivery.Claims} times, and {delivery.Claims - delivery.Attempts} times neither finished nor failed.", []);
                return;
            }

            using var activity = MessagingDiagnostics.StartHandling(delivery.Envelope);
            await RunToItsEnd(delivery, queue, activity);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !node.IsGivingUp)
        {
            // Its outcome could not be written. The lease runs out and somebody takes it again.
            log.LogError(failure, "The outcome of {Message} {Id} could not be recorded", delivery.Envelope.MessageType, delivery.Id);
            node.Forget(delivery);
        }
    }

    private async Task RunToItsEnd(Delivery delivery, QueueRunner queue, Activity activity)
    {
        var errors = new List<DeliveryError>();
        while (true)
        {
            var failure = await Attempt(delivery, errors.Count);
            if (failure is null)
            {
                queue.Note(succeeded: true);
                return;
            }

            if (node.IsKilled || node.IsGivingUp || failure is MessageLeaseLostException || delivery.IsLost)
            {
                // Stopped, or somebody else's by now: no failure of the message. Stopping frees all that this node holds.
                MessagingDiagnostics.Lost.Add(1);
                node.Forget(delivery);
                return;
            }

            MessagingDiagnostics.Failed.Add(1, new KeyValuePair<string, object?>("type", delivery.Type.Alias));
            activity.AddException(failure);
            errors.Add(new DeliveryError(clock.GetUtcNow(), delivery.Attempts + errors.Count + 1, failure.GetType().FullName!, Shorten(failure.Message)));
            var action = options.Decide(failure);
            if (action is FailureAction.RetryNow now && errors.Count <= now.Limit && failure is not HandlerHangsException)
            {
                continue;
            }

            queue.Note(succeeded: action is FailureAction.DeadLetter or FailureAction.RetryNow);
            await Resolve(delivery, action, errors, failure);
            return;
        }
    }

    private async Task<Exception?> Attempt(Delivery delivery, int failedHere)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            var message = delivery.Read(options.Json);
            var running = delivery.Begin(node.Stopped);
            running.CancelAfter(options.HandlerTimeout);
            var envelope = delivery.Envelope with { Attempt = delivery.Attempts + failedHere + 1 };
            var execution = node.Executor.Execute(delivery.Type, message, envelope, delivery, running.Token);

            bool ended;
            try
            {
                ended = await execution.WaitAsync(options.HandlerTimeout + options.Timings.Grace, node.Abandoned);
            }
            catch (Exception) when (!execution.IsCompleted)
            {
                // Whoever does not listen to its token is left behind; should it come to commit, it is fenced off.
                return new HandlerHangsException(options.HandlerTimeout);
            }

            delivery.End();
            if (ended)
            {
                node.Ended(delivery);
            }
            else
            {
                node.Acknowledge(delivery);
            }

            MessagingDiagnostics.Handled.Add(1, new KeyValuePair<string, object?>("type", delivery.Type.Alias));
            return null;
        }
        catch (Exception failure)
        {
            delivery.End();
            return failure is OperationCanceledException && !node.IsGivingUp && Stopwatch.GetElapsedTime(began) >= options.HandlerTimeout
                ? new TimeoutException($"The handler was cancelled after {options.HandlerTimeout}.", failure)
                : failure;
        }
        finally
        {
            MessagingDiagnostics.HandlerSeconds.Record(Stopwatch.GetElapsedTime(began).TotalSeconds, new KeyValuePair<string, object?>("type", delivery.Type.Alias));
        }
    }

    private Task Resolve(Delivery delivery, FailureAction action, List<DeliveryError> errors, Exception failure)
    {
        var attempts = delivery.Attempts + errors.Count;
        log.LogWarning(failure, "{Message} {Id} failed in attempt {Attempt}", delivery.Envelope.MessageType, delivery.Id, attempts);
        return action switch
        {
            FailureAction.DeadLetter dead => Bury(delivery, Shorten(dead.Reason), errors),
            FailureAction.RetryAfter when attempts >= options.MaxThrottledAttempts => Bury(delivery, $"Turned away {attempts} times: {Shorten(failure.Message)}", errors),
            FailureAction.RetryAfter throttled => Postpone(delivery, throttled.Pause, errors),
            FailureAction.RetryWithBackoff { MaxAttempts: var most } when attempts >= (most ?? options.MaxAttempts) => Bury(delivery, $"Failed {attempts} times: {Shorten(failure.Message)}", errors),
            _ when attempts >= options.MaxAttempts => Bury(delivery, $"Failed {attempts} times: {Shorten(failure.Message)}", errors),
            _ => Postpone(delivery, Pause(attempts), errors),
        };
    }

    private TimeSpan Pause(int attempts)
    {
        var pause = options.Backoff[Math.Min(attempts, options.Backoff.Count) - 1];
        return pause * (0.8 + (0.4 * Random.Shared.NextDouble()));
    }

    private async Task Postpone(Delivery delivery, TimeSpan pause, IReadOnlyList<DeliveryError> errors)
    {
        var due = clock.GetUtcNow().ToUniversalTime() + pause;
        await node.Execute(batch => DeliveryCommands.AddRetry(batch, delivery, node.Id, due, errors), CancellationToken.None);
        node.Postponed(delivery, due);
    }

    private async Task Bury(Delivery delivery, string reason, IReadOnlyList<DeliveryError> errors)
    {
        log.LogError("{Message} {Id} became a dead letter: {Reason}", delivery.Envelope.MessageType, delivery.Id, reason);
        await node.Execute(batch => DeliveryCommands.AddBury(batch, delivery, node.Id, reason, errors, clock.GetUtcNow().ToUniversalTime()), CancellationToken.None);
        MessagingDiagnostics.Dead.Add(1, new KeyValuePair<string, object?>("type", delivery.Type.Alias));
        node.Ended(delivery);
    }

    // PostgreSQL takes no NUL, and no half of a character that the cut went through.
    private static string Shorten(string text)
    {
        var cut = text.Length <= MostOfAReason ? text : char.IsHighSurrogate(text[MostOfAReason - 1]) ? text[..(MostOfAReason - 1)] : text[..MostOfAReason];
        return string.Concat(cut.EnumerateRunes().Where(rune => rune.Value != 0).Select(rune => rune.ToString()));
    }
}

/// <summary>A handler neither came back nor listened to its cancellation.</summary>
internal sealed class HandlerHangsException(TimeSpan timeout) : Exception($"The handler did not come back, although it was cancelled after {timeout}.");
