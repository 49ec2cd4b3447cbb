using System.Text.Json.Nodes;

namespace CaveComm.Sandbox.BtcPay;

/// <summary>Webhooks and their deliveries over the API.</summary>
internal static class HookApi
{
    public static void Map(BtcPayRoutes routes, BtcPayWorld world)
    {
        var hooks = world.Hooks;
        routes.InStore("GET", "webhooks", _ => BtcPayAnswer.Ok(new JsonArray([.. All(world).Select(it => Shape(it))])), isShortToo: false);
        routes.InStore("POST", "webhooks", call => Save(call, world, null), isShortToo: false);
        routes.InStore("GET", "webhooks/{id}", call => With(call, world, hook => BtcPayAnswer.Ok(Shape(hook))));
        routes.InStore("PUT", "webhooks/{id}", call => With(call, world, hook => Save(call, world, hook)));
        routes.InStore("DELETE", "webhooks/{id}", call => With(call, world, hook => Delete(world, hook)));
        routes.InStore("GET", "webhooks/{id}/deliveries", call => With(call, world, hook =>
            BtcPayAnswer.Ok(new JsonArray([.. hooks.Deliveries(hook.Id).Take((int)(call.Number("count") ?? 20))]))));
        routes.InStore("GET", "webhooks/{id}/deliveries/{delivery}", call => With(call, world, hook =>
            hooks.Deliveries(hook.Id).FirstOrDefault(it => (string?)it["id"] == call.Route("delivery")) is { } delivery
                ? BtcPayAnswer.Ok(delivery)
                : BtcPayAnswer.NotFound("webhookdelivery")));
        routes.InStore("GET", "webhooks/{id}/deliveries/{delivery}/request", call => With(call, world, hook =>
            hooks.Request(hook.Id, call.Route("delivery")) is { } body
                ? BtcPayAnswer.Ok(JsonNode.Parse(body)!)
                : BtcPayAnswer.NotFound("webhookdelivery")));
        routes.InStore("POST", "webhooks/{id}/deliveries/{delivery}/redeliver", call => With(call, world, hook =>
            hooks.Redeliver(hook.Id, call.Route("delivery")) is { } again
                ? BtcPayAnswer.Ok(JsonValue.Create(again))
                : BtcPayAnswer.NotFound("webhookdelivery")));
    }

    private static IReadOnlyList<Hook> All(BtcPayWorld world) => world.Store.Transact<IReadOnlyList<Hook>>(work =>
        [.. work.ReadAll<Hook>(BtcPayStore.Hooks).Where(it => it.Url.Length > 0)]);

    private static BtcPayAnswer With(BtcPayCall call, BtcPayWorld world, Func<Hook, BtcPayAnswer> found) =>
        world.Store.Transact(work => work.Read<Hook>(BtcPayStore.Hooks, call.Route("id"))) is { } hook
            ? found(hook)
            : BtcPayAnswer.NotFound("webhook");

    private static BtcPayAnswer Save(BtcPayCall call, BtcPayWorld world, Hook? before)
    {
        var body = call.Body;
        var url = body.Text("url") ?? "";
        if (!Uri.TryCreate(url, UriKind.Absolute, out var target) || target.Scheme is not ("http" or "https"))
            body.Wrong("url", "Invalid url");
        var secret = body.Text("secret") is { Length: > 0 } given ? given : before?.Secret ?? BtcPayStore.NewId();
        var events = body.Inner("authorizedEvents");
        var everything = events.Truth("everything") ?? true;
        var specific = events.Texts("specificEvents") ?? [];
        var hook = new Hook(
            before?.Id ?? BtcPayStore.NewId(),
            url,
            secret,
            body.Truth("enabled") ?? true,
            body.Truth("automaticRedelivery") ?? true,
            everything ? null : specific);
        if (body.Faults.Count > 0)
            return BtcPayAnswer.Invalid(body.Faults);
        world.Store.Transact(work => work.Write(BtcPayStore.Hooks, hook.Id, hook));
        world.Hooks.Queue.SetTarget(hook.Id, target);
        return BtcPayAnswer.Ok(Shape(hook, withSecret: before is null));
    }

    private static BtcPayAnswer Delete(BtcPayWorld world, Hook hook)
    {
        world.Store.Transact(work => work.Remove(BtcPayStore.Hooks, hook.Id));
        world.Hooks.Queue.SetTarget(hook.Id, null);
        return BtcPayAnswer.Empty;
    }

    private static JsonObject Shape(Hook it, bool withSecret = false)
    {
        var shape = new JsonObject
        {
            ["id"] = it.Id,
            ["enabled"] = it.Enabled,
            ["automaticRedelivery"] = it.AutomaticRedelivery,
            ["url"] = it.Url,
            ["authorizedEvents"] = new JsonObject
            {
                ["everything"] = it.Events is null,
                ["specificEvents"] = new JsonArray([.. (it.Events ?? []).Select(name => JsonValue.Create(name))]),
            },
        };
        if (withSecret)
        {
            shape["secret"] = it.Secret;
        }

        return shape;
    }
}
