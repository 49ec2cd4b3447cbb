using CaveComm.Api.Health;
using CaveComm.EventStore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Shouldly;

namespace CaveComm.Tests.Health;

public class ProjectionsCheckTests
{
    private static readonly ProjectionSummary Running = new("Inbox", 1, "running", 7, 0, 0, 0, null, null);

    [Fact]
    public void Views_that_are_fed_are_healthy() => ProjectionsCheck.Judge([Running, Running]).ShouldBe((HealthStatus.Healthy, null));

    [Fact]
    public void A_rebuild_beside_the_old_view_is_healthy() =>
        ProjectionsCheck.Judge([Running with { State = "rebuilding" }]).Status.ShouldBe(HealthStatus.Healthy);

    [Fact]
    public void A_new_version_without_a_complete_table_makes_the_node_unready()
    {
        var (status, detail) = ProjectionsCheck.Judge([Running, Running with { Name = "Billing", State = "building" }]);

        status.ShouldBe(HealthStatus.Unhealthy);
        detail!.ShouldContain("Billing");
    }

    [Theory]
    [InlineData("stopped", HealthStatus.Unhealthy)]
    [InlineData("running", HealthStatus.Healthy)]
    public void Nothing_fed_at_all_is_unready(string state, HealthStatus expected) =>
        ProjectionsCheck.Judge([Running with { State = state }]).Status.ShouldBe(expected);

    [Fact]
    public void No_view_at_all_is_unready() => ProjectionsCheck.Judge([]).Status.ShouldBe(HealthStatus.Unhealthy);

    [Theory]
    [InlineData("faulted", 0, 0)]
    [InlineData("paused", 0, 0)]
    [InlineData("stopped", 0, 0)]
    [InlineData("running", 1, 0)]
    [InlineData("running", 0, 61)]
    public void What_somebody_has_to_look_at_is_named_and_stays_in_service(string state, int parked, double lagSeconds)
    {
        var (status, detail) = ProjectionsCheck.Judge([Running, Running with { Name = "Billing", State = state, Parked = parked, LagSeconds = lagSeconds }]);

        status.ShouldBe(HealthStatus.Degraded);
        detail!.ShouldContain("Billing");
        detail!.ShouldNotContain("Inbox");
    }
}
