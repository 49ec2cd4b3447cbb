using System.Text;
using CaveComm.Api.Identity;
using Shouldly;

namespace CaveComm.Tests.Identity;

public sealed class TotpTests
{
    private static readonly byte[] Seed = Encoding.ASCII.GetBytes("12345678901234567890");
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_111_111_111);

    /// <summary>RFC 6238, appendix B, the rows for SHA-1.</summary>
    [Theory]
    [InlineData(59L, "94287082")]
    [InlineData(1_111_111_109L, "07081804")]
    [InlineData(1_111_111_111L, "14050471")]
    [InlineData(1_234_567_890L, "89005924")]
    [InlineData(2_000_000_000L, "69279037")]
    [InlineData(20_000_000_000L, "65353130")]
    public void Codes_are_those_of_the_standard(long seconds, string code)
    {
        var step = Totp.StepAt(DateTimeOffset.FromUnixTimeSeconds(seconds));
        Totp.Code(Seed, step, digits: 8).ShouldBe(code);
        Totp.Code(Seed, step).ShouldBe(code[2..]);
    }

    [Fact]
    public void The_codes_of_this_step_and_its_neighbours_are_good_and_no_others()
    {
        var step = Totp.StepAt(Now);
        for (var off = -3; off <= 3; off++)
        {
            Totp.StepOf(Seed, Totp.Code(Seed, step + off), Now).ShouldBe(Math.Abs(off) <= 1 ? step + off : null, $"{off}");
        }

        Totp.StepOf(Seed, "", Now).ShouldBeNull();
        Totp.StepOf(Seed, Totp.Code(Seed, step) + "0", Now).ShouldBeNull();
    }

    /// <summary>RFC 4648, section 10, without padding.</summary>
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void Seeds_are_written_as_apps_read_them(string bytes, string text) => Totp.Base32(Encoding.ASCII.GetBytes(bytes)).ShouldBe(text);

    [Fact]
    public void A_name_cannot_change_the_rest_of_the_address() =>
        Totp.Address("a&secret=x", "MY").ShouldBe("otpauth://totp/CaveComm:a%26secret%3Dx?secret=MY&issuer=CaveComm&algorithm=SHA1&digits=6&period=30");
}
