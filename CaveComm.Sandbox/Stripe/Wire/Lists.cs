using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.Stripe.Wire;

/// <summary>List objects: a page of what is newest first, found by the id it follows.</summary>
internal static class Lists
{
    /// <summary>A list object that holds what is given, as it stands inside another object.</summary>
    public static JsonObject Of(string url, IEnumerable<JsonObject> shown, bool hasMore = false) => new()
    {
        ["object"] = "list",
        ["data"] = new JsonArray([.. shown]),
        ["has_more"] = hasMore,
        ["url"] = url,
    };

    /// <summary>Answers a list call about objects that the store has.</summary>
    public static JsonObject Answer(StripeCall call, string url, string kind, Func<JsonObject, bool> fits)
    {
        var created = Within(call.Parameters, "created");
        return Page(call, url, call.Unit.Ids(kind, it => created(it) && fits(it)), id => call.Unit.Find(kind, id)!);
    }

    /// <param name="ids">All that the filters let through, in the order of the list.</param>
    public static JsonObject Page(StripeCall call, string url, IReadOnlyList<string> ids, Func<string, JsonObject> find)
    {
        var limit = (int)Math.Clamp(call.Parameters.Integer("limit") ?? 10, int.MinValue, int.MaxValue);
        if (limit is < 1 or > 100)
        {
            throw StripeFault.Parameter("limit", "This value must be from 1 to 100.");
        }

        var after = call.Parameters.Text("starting_after");
        var before = call.Parameters.Text("ending_before");
        if (after is not null && before is not null)
        {
            throw StripeFault.Parameter("starting_after", "starting_after and ending_before exclude each other.");
        }

        IEnumerable<string> page;
        bool more;
        if (before is not null)
        {
            var end = Index(ids, before, "ending_before");
            page = ids.Take(end).TakeLast(limit);
            more = end > limit;
        }
        else
        {
            var start = after is null ? 0 : Index(ids, after, "starting_after") + 1;
            page = ids.Skip(start).Take(limit);
            more = ids.Count - start > limit;
        }

        return Of(url, page.Select(id => call.Render(find(id))), more);
    }

    /// <summary>The range filter of a time: a plain value, or <c>[gt]</c>, <c>[gte]</c>, <c>[lt]</c> and <c>[lte]</c>.</summary>
    public static Func<JsonObject, bool> Within(StripeParameters parameters, string field)
    {
        var below = parameters.Below(field);
        var (exact, gt, gte, lt, lte) =
            (below.Entries.Any() ? null : parameters.Integer(field), below.Integer("gt"), below.Integer("gte"), below.Integer("lt"), below.Integer("lte"));
        return thing => (long?)(thing[field] ?? thing["date"]) is { } value
            ? (exact is null || value == exact) && (gt is null || value > gt) && (gte is null || value >= gte)
                && (lt is null || value < lt) && (lte is null || value <= lte)
            : exact is null && gt is null && gte is null && lt is null && lte is null;
    }

    /// <summary>A filter on a field that holds an id or a word; without the parameter everything fits.</summary>
    public static Func<JsonObject, bool> Equal(StripeParameters parameters, string field) =>
        parameters.Text(field) is { } wanted ? thing => (string?)thing[field] == wanted : _ => true;

    private static int Index(IReadOnlyList<string> ids, string id, string parameter)
    {
        for (var i = 0; i < ids.Count; i++)
        {
            if (ids[i] == id)
            {
                return i;
            }
        }

        throw StripeFault.NoSuch("object in this list", id, parameter, inUrl: false);
    }
}
