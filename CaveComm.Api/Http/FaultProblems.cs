using CaveComm.Domain;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CaveComm.Api.Http;

/// <summary>A body that knows rules about its own content; they are checked when it is read.</summary>
public interface IChecked
{
    void Check(Faults faults);
}

internal static class FaultProblems
{
    /// <summary>422 with every fault by field.</summary>
    public static ProblemHttpResult ToProblem(this Faults faults) => faults.ToRefusal().ToProblem();

    public static string First(this Faults faults) => faults.ByField.First() is var (field, messages) ? $"{field}: {messages[0]}" : "";

    public static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
