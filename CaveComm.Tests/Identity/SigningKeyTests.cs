using CaveComm.Api.Identity;
using CaveComm.Tests.Providers;
using Microsoft.Extensions.Configuration;
using Microsoft.IdentityModel.Tokens;
using Shouldly;

namespace CaveComm.Tests.Identity;

public sealed class SigningKeyTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("cavecomm-keys-");
    private readonly ManualClock clock = new();

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void A_key_is_followed_by_another_that_is_known_before_it_signs()
    {
        var keys = Keys();
        var first = keys.Current.Key.KeyId;
        keys.All().Select(it => it.State).ShouldBe(["signing"]);

        clock.Advance(TimeSpan.FromDays(30) - TimeSpan.FromMinutes(30));
        keys.Current.Key.KeyId.ShouldBe(first);
        keys.All().Select(it => it.State).ShouldBe(["next", "signing"]);
        keys.Trusted.Count.ShouldBe(2);
        (keys.All()[0].SignsFrom - clock.GetUtcNow()).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromHours(1));

        clock.Advance(TimeSpan.FromHours(3));
        keys.Current.Key.KeyId.ShouldNotBe(first);
        keys.All().Select(it => it.State).ShouldBe(["signing", "trusted"]);

        clock.Advance(TimeSpan.FromHours(3));
        keys.All().Select(it => it.State).ShouldBe(["signing", "retired"]);
        keys.Trusted.Select(it => it.KeyId).ShouldNotContain(first);
        keys.Kept.Select(it => it.KeyId).ShouldContain(first, "What was sealed with it stays sealed.");
    }

    [Fact]
    public void Nodes_that_rotate_at_once_make_one_key()
    {
        var (one, other) = (Keys(), Keys());
        one.Current.Key.KeyId.ShouldBe(other.Current.Key.KeyId);
        var made = one.Rotate(compromised: false);
        other.Rotate(compromised: false).KeyId.ShouldBe(made.KeyId);
        made.State.ShouldBe("next");
        Directory.GetFiles(Path.Combine(folder.FullName, "keys")).Length.ShouldBe(2);
        one.Current.Key.KeyId.ShouldNotBe(made.KeyId);
    }

    [Fact]
    public void A_key_that_others_may_have_is_worth_nothing_from_then_on()
    {
        var (one, other) = (Keys(), Keys());
        var lost = one.Current.Key.KeyId;
        other.Trusted.Select(it => it.KeyId).ShouldBe([lost]);
        var made = one.Rotate(compromised: true);
        one.Current.Key.KeyId.ShouldBe(made.KeyId);
        one.Kept.Select(it => it.KeyId).ShouldBe([made.KeyId]);
        clock.Advance(TimeSpan.FromSeconds(5));
        other.Trusted.Select(it => it.KeyId).ShouldBe([made.KeyId]);
    }

    [Fact]
    public void A_key_of_a_version_before_goes_on()
    {
        var path = Directory.CreateDirectory(Path.Combine(folder.FullName, "keys")).FullName;
        using var old = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        File.WriteAllText(Path.Combine(path, FileSigningKeys.FileName), old.ExportPkcs8PrivateKeyPem());
        File.SetLastWriteTimeUtc(Path.Combine(path, FileSigningKeys.FileName), clock.GetUtcNow().UtcDateTime);
        ((ECDsaSecurityKey)Keys().Current.Key).ECDsa.ExportSubjectPublicKeyInfoPem().ShouldBe(old.ExportSubjectPublicKeyInfoPem());
    }

    [Fact]
    public void The_first_key_stays_retired_in_a_folder_that_was_put_back()
    {
        var first = Keys().Current.Key.KeyId;
        clock.Advance(TimeSpan.FromDays(31));
        Keys().Rotate(compromised: false);
        clock.Advance(TimeSpan.FromHours(6));
        var signing = Keys().Current.Key.KeyId;
        signing.ShouldNotBe(first);
        File.SetLastWriteTimeUtc(Path.Combine(folder.FullName, "keys", FileSigningKeys.FileName), clock.GetUtcNow().UtcDateTime);
        Keys().Current.Key.KeyId.ShouldBe(signing);
        Keys().Trusted.Select(it => it.KeyId).ShouldNotContain(first);
    }

    private FileSigningKeys Keys() => new(
        new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("CaveComm:DataPath", (string?)folder.FullName)]).Build(), clock);
}
