using System.Text.Json.Nodes;
using CaveComm.Api.Admin;
using Shouldly;

namespace CaveComm.Tests.Admin;

/// <summary>What opens something, or says who somebody is, is not shown to administrators.</summary>
public class MessageMaskTests
{
    [Theory]
    [InlineData("GET https://office.example/c/9fK2pQ7x failed", "GET https://office.example/c/[hidden] failed")]
    [InlineData("See https://office.example/downloads/AbC-12_x/file", "See https://office.example/downloads/[hidden]/file")]
    [InlineData("https://office.example/customer/requests/1?token=abc.def&x=1", "https://office.example/customer/requests/1?token=[hidden]&x=1")]
    [InlineData("Authorization: Bearer abc.def-ghi=", "Authorization: Bearer [hidden]")]
    [InlineData("Host=db;Username=cave;Password=hunter2;Port=1", "Host=db;Username=cave;Password=[hidden];Port=1")]
    [InlineData("Authorization: token 9f2c0Aab", "Authorization: token [hidden]")]
    [InlineData("{\"access_token\":\"abc\",\"password\": \"hunter2\"}", "{\"access_token\":\"[hidden]\",\"password\": \"[hidden]\"}")]
    [InlineData("Password=hunter2;Port=1", "Password=[hidden];Port=1")]
    [InlineData("postgres://cave:hunter2@db/office", "postgres://cave:[hidden]@db/office")]
    [InlineData("No such key: sk_test_51Habc", "No such key: [hidden]")]
    [InlineData("550 <kate.bush@example.com>: unknown", "550 <k***@example.com>: unknown")]
    [InlineData("The invoice in_1Nv0 of commission 01953f2a-0000-7000-8000-000000000001 is unknown.", "The invoice in_1Nv0 of commission 01953f2a-0000-7000-8000-000000000001 is unknown.")]
    [InlineData("paid 12.00 EUR of 120.00 EUR", "paid 12.00 EUR of 120.00 EUR")]
    public void Secrets_in_a_text_are_masked_and_the_rest_stays(string text, string shown) => MessageMask.Text(text).ShouldBe(shown);

    [Fact]
    public void Members_named_like_a_secret_are_masked_at_any_depth_and_ids_stay()
    {
        const string body = """{"commission":"0195","statusUrl":"https://x/y","list":[{"apiKey":"k","note":"write to ada@example.com"},3,null],"number":2,"accessToken":{"a":1}}""";

        JsonNode.DeepEquals(
            MessageMask.Body(body),
            JsonNode.Parse("""{"commission":"0195","statusUrl":"[hidden]","list":[{"apiKey":"[hidden]","note":"write to a***@example.com"},3,null],"number":2,"accessToken":"[hidden]"}"""))
            .ShouldBeTrue(MessageMask.Body(body)!.ToJsonString());
        MessageMask.Body("null").ShouldBeNull();
        MessageMask.Body("\"Bearer abcdefgh\"")!.GetValue<string>().ShouldBe("Bearer [hidden]");
    }
}
