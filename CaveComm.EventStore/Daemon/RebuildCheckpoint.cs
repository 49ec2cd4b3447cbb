namespace CaveComm.EventStore;

/// <summary>Some of a view's keys: those whose hash has a remainder. The modulus is a power of two.</summary>
internal sealed record RebuildSlice(int Remainder, int Modulus)
{
    public bool IsSmallest => Modulus == 1 << 20;

    /// <summary>Halves of it.</summary>
    public (RebuildSlice Low, RebuildSlice High) Split() => (new(Remainder, 2 * Modulus), new(Remainder + Modulus, 2 * Modulus));

    public bool Holds(string key)
    {
        if (Modulus == 1)
            return true;

        // FNV-1a: the same in every process, which .NET's own hash of strings is not.
        var hash = 2166136261;
        foreach (var letter in key)
            hash = (hash ^ letter) * 16777619;
        return ((hash ^ (hash >> 16)) & (uint)(Modulus - 1)) == Remainder;
    }
}

/// <summary>What a rebuild has finished; it is committed together with the rows that it speaks of.</summary>
/// <param name="Code">The program that made the rows. Another one cannot go on with them, since it may fold otherwise.</param>
/// <param name="End">What is in slices is folded up to here; what comes later follows when all slices are done.</param>
/// <param name="Todo">The slices that are not in the new table yet; the first may be half done.</param>
/// <param name="Position">How far the first of them was folded when its views were put aside, or, when there are no slices left, how far the new table is.</param>
/// <param name="Erasures">How many erasures it knew when it began; see <see cref="OvertakenRebuilds"/>.</param>
internal sealed record RebuildCheckpoint(string Code, long End, IReadOnlyList<RebuildSlice> Todo, long Position, long Erasures)
{
    /// <summary>How much of the log is folded, counted in places of the log.</summary>
    public long Done(long positionInSlice)
    {
        var left = Todo.Sum(it => 1.0 / it.Modulus);
        var open = Todo is [var first, ..] ? 1.0 / first.Modulus * positionInSlice / Math.Max(1, End) : 0;
        return (long)(End * Math.Clamp(1 - left + open, 0, 1));
    }
}
