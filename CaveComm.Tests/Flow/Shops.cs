using System.Net;
using System.Net.Http.Json;
using Shouldly;

namespace CaveComm.Tests.Flow;

/// <summary>Shops beside those of the demo accounts.</summary>
internal static class Shops
{
    private const string Password = "violet-Anvil-3-harbour";

    /// <summary>Somebody registers, signs in and takes commissions, with no destination for payouts yet.</summary>
    public static async Task<(string Handle, HttpClient Client)> OpenShop(this Office office, string handle)
    {
        using var registered = await office.Anonymous.PostAsJsonAsync(
            "freelancer/register", new { handle, displayName = handle, email = $"{handle}@cavecomm.example", password = Password });
        registered.StatusCode.ShouldBe(HttpStatusCode.Created, await registered.Content.ReadAsStringAsync());
        var client = office.Client(await office.SignIn((handle, Password)));
        using var opened = await client.PostAsJsonAsync($"freelancer/{handle}/open", new { });
        opened.StatusCode.ShouldBe(HttpStatusCode.OK);
        return (handle, client);
    }
}
