namespace CaveComm.Sandbox.BtcPay;

/// <summary>What a test can do to the API; remembered across restarts. The webhooks' switches are the queue's.</summary>
/// <param name="TimeoutEvery">Every n-th call does its work and answers nobody; 0 is never.</param>
/// <param name="ErrorEvery">Every n-th call does its work and answers 500; 0 is never.</param>
/// <param name="HoldPayouts">The payout processor rests: what is approved waits.</param>
/// <param name="CancelPayouts">What comes before the payout processor is cancelled, as an owner would cancel what can't be paid.</param>
internal sealed record BtcPayControls(int TimeoutEvery = 0, int ErrorEvery = 0, bool HoldPayouts = false, bool CancelPayouts = false);
