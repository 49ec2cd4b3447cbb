using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Webhooks;

/// <summary>What a test can do to the webhooks of a look-alike; remembered across restarts.</summary>
/// <param name="Hold">What is queued waits; switched off, it is sent.</param>
/// <param name="Drop">What comes is lost, as webhooks sometimes are.</param>
/// <param name="Copies">How often each event is sent; 1 is normal.</param>
/// <param name="Shuffle">What is due together is sent in any order.</param>
public sealed record WebhookSwitches(bool Hold = false, bool Drop = false, int Copies = 1, bool Shuffle = false)
{
    internal JsonObject ToDocument() => new() { ["hold"] = Hold, ["drop"] = Drop, ["copies"] = Copies, ["shuffle"] = Shuffle };

    internal static WebhookSwitches FromDocument(JsonObject? document) => document is null
        ? new WebhookSwitches()
        : new WebhookSwitches((bool)document["hold"]!, (bool)document["drop"]!, (int)document["copies"]!, (bool)document["shuffle"]!);
}
