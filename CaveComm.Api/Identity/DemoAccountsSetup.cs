using CaveComm.Domain.Identity;
using Microsoft.Extensions.Options;

namespace CaveComm.Api.Identity;

/// <summary>What a feature does for a demo freelancer at every sandbox start, such as opening the shop. A repeat must be harmless.</summary>
public interface IDemoSetup
{
    Task Prepare(string handle, CancellationToken cancel);
}

/// <summary>Registers the people of a sandbox (<c>CaveComm:DemoAccounts:{role}</c>) once the product has started; a repeat changes nothing.</summary>
internal sealed class DemoAccountsSetup(
    IConfiguration configuration, IOptions<CaveCommOptions> options, AccountHandling handling, IServiceScopeFactory scopes, ILogger<DemoAccountsSetup> log) : IHostedLifecycleService
{
    private static readonly (string Section, string Role)[] People =
        [("freelancer", Role.Freelancer), ("second", Role.Freelancer), ("admin", Role.Admin), ("auditor", Role.Auditor)];

    /// <summary>Tables exist by now, whatever the order in which hosted services were added.</summary>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        if (!options.Value.Sandbox)
        {
            return;
        }

        foreach (var (section, role) in People)
        {
            if (configuration.GetSection($"CaveComm:DemoAccounts:{section}").Get<DemoPerson>() is { Handle.Length: > 0 } person)
            {
                await Prepare(person, role, cancellationToken);
            }
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task Prepare(DemoPerson person, string role, CancellationToken cancel)
    {
        var isFreelancer = role == Role.Freelancer;
        var username = person.Username ?? person.Handle;
        if (await handling.FindByName(username, cancel) is { } known)
        {
            if (await handling.SignIn(username, person.Password, cancel) is null)
            {
                // The data folder was given new passwords; the sandbox promises that they work.
                await handling.SetPassword(known, person.Password, "for the sandbox", "system", cancel);
            }

            await handling.Handle(known, new AccountCommand.GrantRole(role, "sandbox"), "system", cancel);
        }
        else
        {
            var name = char.ToUpperInvariant(person.Handle[0]) + person.Handle[1..];
            var registered = await handling.Register(
                new Registration(username, person.Handle, name, isFreelancer ? $"{person.Handle}@cavecomm.example" : null, person.Password, role, "sandbox"), cancel);
            if (registered.Refusal is { Kind: not Domain.RefusalKind.Conflict } refusal)
            {
                throw new InvalidOperationException($"The demo account {person.Handle} cannot be made: {refusal.Detail}");
            }

            // A conflict: another node of the same sandbox was quicker.
            log.LogInformation("The demo account {Handle} is there", person.Handle);
        }

        if (isFreelancer)
        {
            await using var scope = scopes.CreateAsyncScope();
            foreach (var setup in scope.ServiceProvider.GetServices<IDemoSetup>())
            {
                await setup.Prepare(person.Handle, cancel);
            }
        }
    }

    internal sealed class DemoPerson
    {
        public string Handle { get; set; } = "";

        public string? Username { get; set; }

        public string Password { get; set; } = "";
    }
}
