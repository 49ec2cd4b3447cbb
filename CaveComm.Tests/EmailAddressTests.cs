using CaveComm.Domain;
using Shouldly;

namespace CaveComm.Tests;

public class EmailAddressTests
{
    [Theory]
    [InlineData("ada@example.com")]
    [InlineData("ada+art@example.co.uk")]
    [InlineData("o'brien@example.com")]
    [InlineData("j\u00fcrgen@example.com")]
    [InlineData("a@b")]
    public void An_address_is_taken(string address) => EmailAddress.IsValid(address).ShouldBeTrue();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ada")]
    [InlineData("@example.com")]
    [InlineData("ada@")]
    [InlineData("ada@example.com\r\nBcc: all@example.com")]
    [InlineData("ada@example.com\n")]
    [InlineData("ada@exa\0mple.com")]
    [InlineData("ada @example.com")]
    [InlineData("ada@example.com\u2028")]
    [InlineData("ada@example.com, eve@example.com")]
    [InlineData("ada@example.com;eve@example.com")]
    [InlineData("Ada <ada@example.com>")]
    [InlineData("\"ada\"@example.com")]
    [InlineData("<ada@example.com>")]
    [InlineData("ada@example.com(comment)")]
    [InlineData("ada@@example.com")]
    public void Anything_that_could_be_more_than_one_address_is_not(string? address) => EmailAddress.IsValid(address).ShouldBeFalse();

    [Fact]
    public void An_address_has_at_most_254_characters()
    {
        EmailAddress.IsValid(new string('a', 254 - 12) + "@example.com").ShouldBeTrue();
        EmailAddress.IsValid(new string('a', 255 - 12) + "@example.com").ShouldBeFalse();
    }
}
