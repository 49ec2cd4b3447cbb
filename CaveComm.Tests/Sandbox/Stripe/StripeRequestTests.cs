using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Shouldly;

namespace CaveComm.Tests.Sandbox.Stripe;

public sealed class StripeRequestTests
{
    private static readonly (string Name, string Value)[] Ada = [("email", "ada@example.com")];

    [Fact]
    public async Task The_same_key_and_parameters_give_the_first_answer_again()
    {
        await using var stripe = await StripeSandbox.Start();
        using var first = await stripe.Send(HttpMethod.Post, "/v1/customers", Ada, "key-1");
        using var second = await stripe.Send(HttpMethod.Post, "/v1/customers", Ada, "key-1");
        (await StripeSandbox.Read(second)).ToJsonString().ShouldBe((await StripeSandbox.Read(first)).ToJsonString());
        first.Headers.Contains("Idempotent-Replayed").ShouldBeFalse();
        second.Headers.GetValues("Idempotent-Replayed").ShouldBe(["true"]);
        (await stripe.Get("/v1/customers"))["data"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_same_key_with_other_parameters_or_path_is_refused()
    {
        await using var stripe = await StripeSandbox.Start();
        using var first = await stripe.Send(HttpMethod.Post, "/v1/customers", Ada, "key-1");
        using var other = await stripe.Send(HttpMethod.Post, "/v1/customers", [("email", "bob@example.com")], "key-1");
        other.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await Error(other, "type")).ShouldBe("idempotency_error");
        var id = (await StripeSandbox.Read(first))["id"];
        using var elsewhere = await stripe.Send(HttpMethod.Post, $"/v1/customers/{id}", Ada, "key-1");
        (await Error(elsewhere, "type")).ShouldBe("idempotency_error");
        using var again = await stripe.Send(HttpMethod.Post, "/v1/customers", Ada, "key-1");
        again.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_key_is_in_use_while_its_call_runs()
    {
        await using var stripe = await StripeSandbox.Start();
        await stripe.Control(new { delayMilliseconds = 300 });
        var calls = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => stripe.Send(HttpMethod.Post, "/v1/customers", Ada, "key-1")));
        calls.Count(it => it.StatusCode == HttpStatusCode.Conflict).ShouldBeGreaterThan(0);
        calls.Count(it => it.StatusCode == HttpStatusCode.OK).ShouldBeGreaterThan(0);
        (await stripe.Get("/v1/customers"))["data"]!.AsArray().Count.ShouldBe(1);
        foreach (var call in calls)
        {
            if (call.StatusCode == HttpStatusCode.Conflict)
            {
                (await Error(call, "code")).ShouldBe("idempotency_key_in_use");
            }

            call.Dispose();
        }
    }

    [Fact]
    public async Task A_fault_in_the_parameters_leaves_the_key_free_and_a_failed_request_does_not()
    {
        await using var stripe = await StripeSandbox.Start();
        using (var unknown = await stripe.Send(HttpMethod.Post, "/v1/customers", [("mail", "ada@example.com")], "key-1"))
        {
            (await Error(unknown, "code")).ShouldBe("parameter_unknown");
        }

        using (var now = await stripe.Send(HttpMethod.Post, "/v1/customers", Ada, "key-1"))
        {
            now.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        var invoice = await stripe.OpenInvoice();
        var path = $"/v1/invoices/{invoice["id"]}/pay";
        using (var declined = await stripe.Send(HttpMethod.Post, path, [("payment_method", "pm_card_chargeDeclined")], "key-2"))
        {
            declined.StatusCode.ShouldBe(HttpStatusCode.PaymentRequired);
        }

        using var replayed = await stripe.Send(HttpMethod.Post, path, [("payment_method", "pm_card_chargeDeclined")], "key-2");
        replayed.StatusCode.ShouldBe(HttpStatusCode.PaymentRequired);
        replayed.Headers.GetValues("Idempotent-Replayed").ShouldBe(["true"]);
        ((long)(await stripe.Get($"/v1/invoices/{invoice["id"]}"))["attempt_count"]!).ShouldBe(1);
    }

    [Fact]
    public async Task Keys_belong_to_the_account_they_act_for()
    {
        await using var stripe = await StripeSandbox.Start();
        stripe.SeedAccount("acct_1Artist42");
        using var platform = await stripe.Send(HttpMethod.Post, "/v1/customers", Ada, "key-1");
        using var connected = await stripe.Send(HttpMethod.Post, "/v1/customers", Ada, "key-1", "acct_1Artist42");
        connected.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await StripeSandbox.Read(connected))["id"]!.ToString().ShouldNotBe((await StripeSandbox.Read(platform))["id"]!.ToString());
    }

    [Fact]
    public async Task An_answer_lost_on_the_way_is_found_again_by_its_key()
    {
        await using var stripe = await StripeSandbox.Start();
        await stripe.Control(new { errorEvery = 1 });
        using (var lost = await stripe.Send(HttpMethod.Post, "/v1/customers", Ada, "key-1"))
        {
            lost.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
            (await Error(lost, "type")).ShouldBe("api_error");
        }

        await stripe.Control(new { errorEvery = 0, timeoutEvery = 1 });
        using (var impatient = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken))
        {
            impatient.CancelAfter(TimeSpan.FromMilliseconds(300));
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/customers") { Content = new FormUrlEncodedContent([new("name", "Bo")]) };
            request.Headers.Add("Idempotency-Key", "key-2");
            await Should.ThrowAsync<OperationCanceledException>(() => stripe.Http.SendAsync(request, impatient.Token));
        }

        await stripe.Control(new { timeoutEvery = 0 });
        using var found = await stripe.Send(HttpMethod.Post, "/v1/customers", Ada, "key-1");
        found.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var foundToo = await stripe.Send(HttpMethod.Post, "/v1/customers", [("name", "Bo")], "key-2");
        foundToo.Headers.GetValues("Idempotent-Replayed").ShouldBe(["true"]);
        (await stripe.Get("/v1/customers"))["data"]!.AsArray().Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_stored_500_is_what_its_key_replays()
    {
        await using var stripe = await StripeSandbox.Start();
        await stripe.Control(new { errorEvery = 1, errorsStored = true });
        using var lost = await stripe.Send(HttpMethod.Post, "/v1/customers", Ada, "key-1");
        await stripe.Control(new { errorEvery = 0 });
        using var again = await stripe.Send(HttpMethod.Post, "/v1/customers", Ada, "key-1");
        again.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
    }

    [Theory]
    [InlineData("/v1/invoices", "", "parameter_missing", "customer")]
    [InlineData("/v1/invoices", "customer=cus_none", "resource_missing", "customer")]
    [InlineData("/v1/invoices", "customer=cus_none&colour=red", "parameter_unknown", "colour")]
    [InlineData("/v1/invoices", "customer=cus_none&payment_settings[colour]=red", "parameter_unknown", "payment_settings[colour]")]
    [InlineData("/v1/payment_intents", "amount=many&currency=eur", "parameter_invalid_integer", "amount")]
    [InlineData("/v1/payment_intents", "amount=&currency=eur", "parameter_invalid_empty", "amount")]
    [InlineData("/v1/payment_intents", "amount=10&currency=eur", "amount_too_small", "amount")]
    [InlineData("/v1/transfers", "amount=10&currency=eur&destination=acct_none", "resource_missing", "destination")]
    [InlineData("/v1/payouts", "amount=10&currency=eur", "balance_insufficient", null)]
    public async Task Bad_parameters_are_refused_by_code_and_name(string path, string body, string code, string? parameter)
    {
        await using var stripe = await StripeSandbox.Start();
        using var content = new StringContent(body, Encoding.UTF8, "application/x-www-form-urlencoded");
        using var answer = await stripe.Http.PostAsync(path, content, TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var error = (await StripeSandbox.Read(answer))["error"]!;
        ((string?)error["type"]).ShouldBe("invalid_request_error");
        ((string?)error["code"]).ShouldBe(code);
        ((string?)error["param"]).ShouldBe(parameter);
        error["message"].ShouldNotBeNull();
    }

    [Fact]
    public async Task Json_is_no_form()
    {
        await using var stripe = await StripeSandbox.Start();
        using var content = new StringContent("{\"email\":\"ada@example.com\"}", Encoding.UTF8, "application/json");
        using var answer = await stripe.Http.PostAsync("/v1/customers", content, TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await Error(answer, "type")).ShouldBe("invalid_request_error");
    }

    [Theory]
    [InlineData("Bearer", "sk_test_wrong_key_0002", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer", StripeSandbox.Key, HttpStatusCode.OK)]
    [InlineData("Basic", "c2tfdGVzdF9zYW5kYm94XzAwMDE6", HttpStatusCode.OK)]
    [InlineData("Basic", "not base64", HttpStatusCode.Unauthorized)]
    public async Task Only_its_key_opens_it(string scheme, string credentials, HttpStatusCode expected)
    {
        await using var stripe = await StripeSandbox.Start();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/balance");
        request.Headers.Authorization = new AuthenticationHeaderValue(scheme, credentials);
        using var answer = await stripe.Http.SendAsync(request, TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBe(expected);
        answer.Headers.GetValues("Request-Id").ShouldHaveSingleItem().ShouldStartWith("req_");
        (await StripeSandbox.Read(answer)).ToJsonString().ShouldNotContain("sk_test_wrong_key_0002");
    }

    [Fact]
    public async Task The_version_is_echoed_and_unknown_things_are_404()
    {
        await using var stripe = await StripeSandbox.Start();
        using var missing = await stripe.Send(HttpMethod.Get, "/v1/invoices/in_none");
        missing.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        missing.Headers.GetValues("Stripe-Version").ShouldBe(["2026-07-29.dahlia"]);
        (await Error(missing, "code")).ShouldBe("resource_missing");
        using var nowhere = await stripe.Send(HttpMethod.Get, "/v1/wishes");
        nowhere.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Metadata_is_merged_unset_and_limited()
    {
        await using var stripe = await StripeSandbox.Start();
        var customer = await stripe.Post("/v1/customers", ("metadata[a]", "1"), ("metadata[b]", "2"));
        var path = $"/v1/customers/{customer["id"]}";
        (await stripe.Post(path, ("metadata[a]", ""), ("metadata[c]", "3")))["metadata"]!.ToJsonString().ShouldBe("""{"b":"2","c":"3"}""");
        (await stripe.Post(path, ("metadata", "")))["metadata"]!.ToJsonString().ShouldBe("{}");
        await stripe.Refused(path, ("metadata[" + new string('k', 41) + "]", "1"));
        await stripe.Refused(path, ("metadata[a]", new string('v', 501)));
        await stripe.Refused(path, [.. Enumerable.Range(0, 51).Select(i => ($"metadata[k{i}]", "1"))]);
    }

    [Fact]
    public async Task A_deleted_customer_answers_as_deleted_and_can_buy_nothing()
    {
        await using var stripe = await StripeSandbox.Start();
        var id = (string)(await stripe.Customer())["id"]!;
        using (await stripe.Send(HttpMethod.Delete, $"/v1/customers/{id}"))
        {
            JsonNode.DeepEquals(
                await stripe.Get($"/v1/customers/{id}"),
                new JsonObject { ["id"] = id, ["object"] = "customer", ["deleted"] = true }).ShouldBeTrue();
        }

        var (_, error) = await stripe.Refused("/v1/invoices", ("customer", id));
        ((string?)error["code"]).ShouldBe("resource_missing");
    }

    private static async Task<string?> Error(HttpResponseMessage answer, string field) =>
        (string?)(await StripeSandbox.Read(answer))["error"]![field];
}
