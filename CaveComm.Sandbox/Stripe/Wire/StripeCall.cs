using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Stripe.Wire;

/// <summary>One call of the API at work.</summary>
/// <param name="Id">The id in the URL, where there is one.</param>
/// <param name="Parent">The id of what it belongs to, where the URL has that too.</param>
internal sealed record StripeCall(StripeUnit Unit, StripeParameters Parameters, string Id, string? Parent = null)
{
    public JsonObject Render(JsonObject thing) => Unit.Render(thing);
}

/// <summary>A call that the API knows.</summary>
/// <param name="Path">Its segments; <c>{id}</c> stands for any, as does <c>{parent}</c>.</param>
internal sealed record StripeRoute(string Method, string[] Path, ParameterRules Rules, Func<StripeCall, JsonObject> Handle)
{
    /// <returns>The ids in the path (empty where it has none), or null when the path is another.</returns>
    public (string Id, string? Parent)? Match(string method, string[] path)
    {
        if (method != Method || path.Length != Path.Length)
        {
            return null;
        }

        var id = "";
        string? parent = null;
        for (var i = 0; i < path.Length; i++)
        {
            if (Path[i] == "{id}")
            {
                id = path[i];
            }
            else if (Path[i] == "{parent}")
            {
                parent = path[i];
            }
            else if (Path[i] != path[i])
            {
                return null;
            }
        }

        return (id, parent);
    }
}

/// <summary>The calls of the API, each resource adding its own.</summary>
internal sealed class StripeRoutes
{
    private readonly List<StripeRoute> routes = [];

    public void Get(string path, string rules, Func<StripeCall, JsonObject> handle) => Add("GET", path, rules, handle);

    public void Post(string path, string rules, Func<StripeCall, JsonObject> handle) => Add("POST", path, rules, handle);

    public void Delete(string path, Func<StripeCall, JsonObject> handle, string rules = "") => Add("DELETE", path, rules, handle);

    /// <summary>A list: its own filters, and what all lists have.</summary>
    public void List(string path, string rules, Func<StripeCall, JsonObject> handle) =>
        Add("GET", path, rules + " limit starting_after ending_before", handle);

    public (StripeRoute Route, string Id, string? Parent)? Find(string method, string path)
    {
        var segments = path.Trim('/').Split('/');
        foreach (var route in routes)
        {
            if (route.Match(method, segments) is var (id, parent))
            {
                return (route, id, parent);
            }
        }

        return null;
    }

    private void Add(string method, string path, string rules, Func<StripeCall, JsonObject> handle) =>
        routes.Add(new StripeRoute(method, path.Trim('/').Split('/'), ParameterRules.Parse(rules + " expand[]"), handle));
}
