using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using CaveComm.Api.Identity;
using CaveComm.Tests.Http;
using CaveComm.Tests.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Shouldly;

namespace CaveComm.Tests.OAuth;

/// <summary>Tokens that are nearly right.</summary>
public sealed class TokenForgeryTests(IdentitySite fixture) : IClassFixture<IdentitySite>
{
    private readonly OAuthTalk talk = new(fixture);

    private ISigningKeys Keys => fixture.Site.App.Services.GetRequiredService<ISigningKeys>();

    [Fact]
    public async Task A_token_counts_from_when_to_when_it_says()
    {
        var real = await Real();
        var now = DateTimeOffset.UtcNow;
        await Believed(Signed(real, Keys.Current));
        await Refused(Signed(real, Keys.Current, ("exp", now.AddSeconds(-1).ToUnixTimeSeconds())));
        await Refused(Signed(real, Keys.Current, ("nbf", now.AddMinutes(5).ToUnixTimeSeconds())));
        await Refused(Signed(real, Keys.Current, ("exp", null)));
    }

    [Fact]
    public async Task A_token_counts_with_the_right_signature_alone()
    {
        var real = await Real();
        var payload = real.EncodedPayload;
        foreach (var algorithm in new[] { "none", "None", "NONE" })
        {
            await Refused($"{Encode($$"""{"alg":"{{algorithm}}","typ":"at+jwt"}""")}.{payload}.");
            await Refused($"{Encode($$"""{"alg":"{{algorithm}}","typ":"at+jwt","kid":"{{real.Kid}}"}""")}.{payload}.{real.EncodedSignature}");
        }

        // Key confusion: the public key, which everybody has, taken for a shared secret.
        var key = (ECDsaSecurityKey)Keys.Current.Key;
        byte[][] publicKeys = [Encoding.ASCII.GetBytes(key.ECDsa.ExportSubjectPublicKeyInfoPem()), key.ECDsa.ExportSubjectPublicKeyInfo(), key.ECDsa.ExportParameters(false).Q.X!];
        foreach (var secret in publicKeys)
        {
            var signed = $"{Encode($$"""{"alg":"HS256","typ":"at+jwt","kid":"{{real.Kid}}"}""")}.{payload}";
            await Refused($"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(signed)))}");
        }

        using var ours = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var foreign = new ECDsaSecurityKey(ours) { KeyId = real.Kid };
        await Refused(Signed(real, new SigningCredentials(foreign, SecurityAlgorithms.EcdsaSha256)));

        // A key that comes along in the header is nobody's.
        var point = ours.ExportParameters(false).Q;
        var header = $$$"""{"alg":"ES256","typ":"at+jwt","jwk":{"kty":"EC","crv":"P-256","x":"{{{Base64Url.EncodeToString(point.X)}}}","y":"{{{Base64Url.EncodeToString(point.Y)}}}"}}""";
        var text = $"{Encode(header)}.{payload}";
        await Refused($"{text}.{Base64Url.EncodeToString(ours.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256))}");
    }

    [Fact]
    public async Task A_token_counts_for_whom_and_what_it_says()
    {
        var real = await Real();
        await Refused(Signed(real, Keys.Current, ("aud", "https://files.example/")));
        await Refused(Signed(real, Keys.Current, ("iss", "https://evil.example")));
        await Refused(Signed(real, Keys.Current, ("sid", null)));
        await Refused(Signed(real, Keys.Current, ("sid", Guid.NewGuid().ToString())));
        await Refused(Signed(real, Keys.Current, ("sub", Guid.NewGuid().ToString())));
        var type = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
            Encoding.UTF8.GetString(Base64Url.DecodeFromChars(real.EncodedPayload)), Keys.Current, new Dictionary<string, object> { ["typ"] = "JWT" });
        await Refused(type);

        // More than the session has is not to be had by a token that says so.
        var wide = Signed(real, Keys.Current, ("scope", "commissions:read commissions:write admin account"));
        (await talk.With(wide, "/freelancer/mira/act", HttpMethod.Post)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task An_id_token_or_a_refresh_token_opens_nothing()
    {
        var given = await talk.Tokens("mira", ("scope", "openid commissions:read"));
        await Refused(given.Text("id_token"));
        await Refused(given.RefreshToken);
    }

    private async Task<JsonWebToken> Real() => new((await talk.Tokens("mira", ("scope", "commissions:read"))).AccessToken);

    /// <summary>The same token with claims changed, or with null left out, signed with a key of the test's choice.</summary>
    private static string Signed(JsonWebToken real, SigningCredentials key, params (string Claim, object? Value)[] changes)
    {
        var claims = System.Text.Json.Nodes.JsonNode.Parse(Base64Url.DecodeFromChars(real.EncodedPayload))!.AsObject();
        foreach (var (claim, value) in changes)
        {
            claims.Remove(claim);
            if (value is not null)
            {
                claims[claim] = System.Text.Json.JsonSerializer.SerializeToNode(value);
            }
        }

        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(claims.ToJsonString(), key, new Dictionary<string, object> { ["typ"] = "at+jwt" });
    }

    private async Task Believed(string token) => (await talk.With(token, "/freelancer/mira/inbox")).StatusCode.ShouldBe(HttpStatusCode.OK);

    private async Task Refused(string token) => await (await talk.With(token, "/freelancer/mira/inbox")).Problem(401, "sign-in-required");

    private static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
}
