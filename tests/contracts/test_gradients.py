import torch

from pixforge.contracts.gradients import root_of


def test_a_backward_pass_goes_on_with_the_gradient_that_is_given():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    given = torch.tensor([10.0, -3.0])
    root_of(x.square(), given).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [20.0, -12.0]  # 2x times what is given
    assert given.tolist() == [10.0, -3.0]


def test_two_roots_of_one_tensor_do_not_mix():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    found = [
        torch.autograd.grad(root_of(y, torch.tensor(each)), x, retain_graph=True)[0].tolist()
        for each in ([1.0, 0.0], [0.0, 2.0])
    ]
    assert found == [[3.0, 0.0], [0.0, 6.0]]
