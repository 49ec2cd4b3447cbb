using JasperFx.Events.Projections;

namespace CaveComm.Projections;

/// <remarks>
/// Marten checks that every aggregate of a projection class has an Id like its streams', though a state that is folded live is never stored and
/// needs none. That check is left out here; a state without an Id is then folded like any other.
/// </remarks>
public sealed partial class DeciderProjection<TState, TEvent> : IValidatedProjection<StoreOptions>
{
    IEnumerable<string> IValidatedProjection<StoreOptions>.ValidateConfiguration(StoreOptions options) => [];
}
